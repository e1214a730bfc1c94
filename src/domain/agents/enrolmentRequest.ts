/** What an agent that enrols asks for, as the nodes carry it to the master, and what it is answered. */
import type { ErrorCode } from '../../base/errors.js'
import type { KeyEntry } from './keyEntry.js'

export interface EnrolmentRequest {
  readonly name: string
  /** `any`, an address or a network: what client.keys will say. */
  readonly ip: string
  readonly groups: readonly string[]
  /** Made by the node that was asked, so that asking the master twice is the same as asking once. */
  readonly key: string
  /** Of an agent that had a key: SHA-1 of ID, name and key, hexadecimal. */
  readonly keyHash?: string
  /** The address that the agent came from. The same agent, asking again shortly after, gets the same answer. */
  readonly source: string
}

export type EnrolmentAnswer =
  | { readonly ok: true; readonly entry: KeyEntry }
  | {
      readonly ok: false
      readonly code: ErrorCode
      readonly message: string
      /** What the error is about, where the request has several: the group that is not there. */
      readonly subject?: string
    }
