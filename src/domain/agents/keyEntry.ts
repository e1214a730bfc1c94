/** What client.keys says, and the changes asked of it: which agents exist. The types that the parser, the files' port and the agents' table share. */

import type { WrittenFile } from '../files/treeValues.js'

/** Relative to the home. */
export const keysPath = 'etc/client.keys'

/** One agent of client.keys. */
export interface KeyEntry {
  readonly id: number
  readonly name: string
  /** `any`, an address, or a network (`10.0.0.0/8`). */
  readonly ip: string
  readonly key: string
}

/** What a check of client.keys found changed since the check before, in pages of at most limits.keysPageEntriesMax. */
export interface KeysPage {
  readonly upserts: readonly KeyEntry[]
  /** Agents that are gone for sure: named as removed (whether or not they were known), or missing from a file that has been the same for long enough. */
  readonly removals: readonly number[]
  /** One sentence for each line that cannot be used and was not reported before, and for a file that cannot be trusted. */
  readonly problems: readonly string[]
  /** Agents in the file, as far as it is trusted (domain/agents/keysTrust). */
  readonly agents: number
  /** The highest ID that the file ever gave out, as far as it shows. */
  readonly highestId: number
  /** SHA-256 (hex) over the IDs of all agents in order: nodes with the same digest know the same agents. */
  readonly idsDigest: string
  /**
   * The IDs of all agents in order: all others are gone. On the last page of the check that trusts the file for the first
   * time that the file lacks no agent by mistake, and of each check of all agents after it.
   */
  readonly ids?: Uint32Array
  /** Something is trusted only later: check again after this many milliseconds. */
  readonly againInMs?: number
  /** The file as this process has written it since the check before. */
  readonly written?: WrittenFile
  readonly done: boolean
}

export type KeysChange =
  | {
      readonly kind: 'add'
      readonly name: string
      readonly ip: string
      /** Made by the caller; asking again with the same key is answered with the agent that is there already. */
      readonly key: string
      /** Given out only above this number. */
      readonly idFloor: number
      /** These agents are removed when they have the name or the address; anybody else who has it stays. */
      readonly replaces?: readonly number[]
      /** As with a removal. */
      readonly purge?: boolean
    }
  | {
      readonly kind: 'remove'
      readonly id: number
      /** The line is dropped, and not only marked; but for the highest ID, which shows that it was given out. */
      readonly purge?: boolean
    }

/** One for each change, in order. */
export type KeysAnswer =
  | { readonly ok: true; readonly entry: KeyEntry }
  | {
      readonly ok: false
      readonly code: string
      readonly message: string
      /** Those who have the address, and then who has the name, when that is why. */
      readonly holders?: readonly KeyEntry[]
    }
