/**
 * Adds agents to client.keys, and marks others as removed or drops them, in one new version of the file. Every other line stays as it is,
 * byte for byte, whether or not it can be read. Changes are made in order: a name is free once its agent is removed.
 */
import { type ErrorCode, errorTable } from '../../../base/errors.js'
import { limits } from '../../../base/limits.js'
import { shortened } from '../../../base/logText.js'
import { agentIdText } from '../agent.js'
import type { ClientKeys } from '../clientKeys.js'
import type { KeyEntry, KeysAnswer, KeysChange } from '../keyEntry.js'
import { claimedIdOf, isAgentIp, isAgentKey, isAgentName, keyLineText, readKeyLine } from '../keyLine.js'

export interface KeysRewrite {
  /** One for each change, in order. */
  readonly answers: readonly KeysAnswer[]
  /** The new version, in order, most of it as parts of the old one; nothing when no change applies. */
  readonly parts: readonly Buffer[] | undefined
  /** Agents whose lines are not in it any more. */
  readonly dropped: readonly number[]
}

type Addition = Extract<KeysChange, { kind: 'add' }>

const newline = 10

/** @param managerName no agent may have it */
export const changeKeys = (keys: ClientKeys, changes: readonly KeysChange[], managerName: string): KeysRewrite =>
  new KeysChanges(keys, managerName).make(changes)

class KeysChanges {
  readonly #keys: ClientKeys
  readonly #managerName: string
  readonly #added = new Map<string, KeyEntry>()
  /** Of those that are added, but for `any`. */
  readonly #addedIps = new Map<string, KeyEntry[]>()
  /** Whether their lines are dropped. */
  readonly #removed = new Map<number, boolean>()
  #highestId: number

  constructor(keys: ClientKeys, managerName: string) {
    this.#keys = keys
    this.#managerName = managerName
    this.#highestId = keys.highestId
  }

  make(changes: readonly KeysChange[]): KeysRewrite {
    const answers = changes.map((change) => (change.kind === 'add' ? this.#add(change) : this.#remove(change.id, change.purge === true)))
    const parts = this.#added.size + this.#removed.size === 0 ? undefined : this.#rewritten()
    return { answers, parts, dropped: [...this.#removed].flatMap(([id, isDropped]) => (isDropped ? [id] : [])) }
  }

  // ----------------------------------------------------------------------------------------------------- decisions

  #add({ idFloor, ip, key, name, purge = false, replaces = [] }: Addition): KeysAnswer {
    const wrong = this.#wrongIn(name, ip, key)
    if (wrong) return wrong
    const namesake = this.#named(name)
    if (namesake && namesake.ip === ip && namesake.key === key) return { ok: true, entry: namesake }
    if (this.#keys.isShadowed(name)) return refused('duplicateAgentName', name)
    const holders = [...new Set([...this.#atIp(ip), ...(namesake ? [namesake] : [])])]
    // An agent that is added in the same change stays: no caller can mean it.
    if (!holders.every((holder) => replaces.includes(holder.id) && this.#keys.get(holder.id) === holder))
      return { ...(namesake ? refused('duplicateAgentName', name) : refused('duplicateAgentIp', ip)), holders }
    if (this.#keys.size + this.#added.size - this.#removed.size - holders.length >= limits.agentsMax)
      return refused('tooManyAgents', String(limits.agentsMax))
    const highestId = Math.max(this.#highestId, idFloor)
    if (highestId >= limits.agentIdMax) return noIdLeft(highestId)
    const entry = { id: highestId + 1, name, ip, key }
    this.#highestId = entry.id
    for (const { id } of holders) this.#removed.set(id, purge && this.#mayDrop)
    this.#added.set(name, entry)
    if (ip !== 'any') this.#addedIps.set(ip, [...(this.#addedIps.get(ip) ?? []), entry])
    return { ok: true, entry }
  }

  #wrongIn(name: string, ip: string, key: string): KeysAnswer | undefined {
    if (!isAgentName(name) || name === this.#managerName) return refused('agentNameInvalid', `${shown(name)} (${allowedNames})`)
    if (!isAgentIp(ip))
      return refused('agentIpInvalid', `${shown(ip)} (allowed are any, an IPv4 or IPv6 address, and a network such as 10.0.0.0/8)`)
    return isAgentKey(key) ? undefined : refused('agentKeyInvalid')
  }

  /** An agent that is added in the same change stays: no caller knows its ID before the change is made. */
  #remove(id: number, purge: boolean): KeysAnswer {
    const entry = this.#liveOf(id)
    if (!entry) return refused('unknownAgent', agentIdText(id))
    this.#removed.set(id, purge && this.#mayDrop && id < this.#highestId)
    return { ok: true, entry }
  }

  /** Without a line, another one with the same ID would count. */
  get #mayDrop(): boolean {
    return this.#keys.unusableCount === 0
  }

  /** Not removed yet. */
  #liveOf(id: number): KeyEntry | undefined {
    return this.#removed.has(id) ? undefined : this.#keys.get(id)
  }

  #named(name: string): KeyEntry | undefined {
    const id = this.#keys.idOf(name)
    return this.#added.get(name) ?? (id === undefined ? undefined : this.#liveOf(id))
  }

  #atIp(ip: string): readonly KeyEntry[] {
    if (ip === 'any') return []
    return [...this.#keys.idsOfIp(ip).flatMap((id) => this.#liveOf(id) ?? []), ...(this.#addedIps.get(ip) ?? [])]
  }

  // ---------------------------------------------------------------------------------------------------- the new text

  #rewritten(): readonly Buffer[] {
    const { bytes } = this.#keys
    const parts: Buffer[] = []
    let kept = 0
    for (const { end, id, start } of this.#removedLines(bytes)) {
      const isDropped = this.#removed.get(id) === true
      const nameAt = bytes.indexOf(space, start) + 1
      parts.push(bytes.subarray(kept, isDropped ? start : nameAt))
      if (!isDropped) parts.push(Buffer.from('!'))
      kept = isDropped ? end : nameAt
    }
    parts.push(bytes.subarray(kept))
    if (this.#added.size > 0) {
      if (kept < bytes.length && bytes.at(-1) !== newline) parts.push(Buffer.from('\n'))
      parts.push(Buffer.from([...this.#added.values()].map((entry) => `${keyLineText(entry)}\n`).join('')))
    }
    return parts
  }

  /** Of the agents to be removed, in order; `end` is behind the newline. */
  *#removedLines(bytes: Buffer): Generator<{ readonly id: number; readonly start: number; readonly end: number }, void, undefined> {
    const wanted = new Set(this.#removed.keys())
    for (let start = 0; start < bytes.length && wanted.size > 0; ) {
      const next = bytes.indexOf(newline, start)
      const end = next < 0 ? bytes.length : next
      const id = claimedIdOf(bytes.toString('latin1', start, Math.min(end, start + idCharsMax)))
      if (id !== undefined && wanted.has(id) && this.#isLineOf(id, bytes.subarray(start, end))) {
        wanted.delete(id)
        yield { id, start, end: Math.min(end + 1, bytes.length) }
      }
      start = end + 1
    }
  }

  /** Not an unusable line that only begins with the ID. */
  #isLineOf(id: number, bytes: Buffer): boolean {
    const line = bytes.length > limits.keysLineBytesMax ? undefined : readKeyLine(bytes.toString('latin1'))
    return line?.kind === 'live' && line.entry.name === this.#keys.get(id)?.name
  }
}

const space = 0x20
/** Of an ID and the space after it. */
const idCharsMax = String(limits.agentIdMax).length + 1

const allowedNames =
  `allowed are ${limits.agentNameCharsMin} to ${limits.agentNameCharsMax} letters (A to Z, a to z), digits, '.', '_' and '-', ` +
  "not beginning with '.', and not the manager's own name"

const shown = (text: string): string => shortened(text, limits.agentNameCharsMax)

const noIdLeft = (highestId: number): KeysAnswer => ({
  ok: false,
  code: 'tooManyAgents',
  message:
    `No ID is left: ${agentIdText(highestId)} was used once, which is the highest possible, and a new agent gets one above all that were ` +
    'ever used. docs/operating.md describes how to give up an ID that was a mistake',
})

const refused = (code: ErrorCode, what?: string): Extract<KeysAnswer, { ok: false }> => ({
  ok: false,
  code,
  message: what === undefined ? errorTable[code].says : `${errorTable[code].says}: ${what}`,
})
