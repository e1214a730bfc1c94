/**
 * Adds agents to client.keys and marks others as removed, in one new version of the file. Every other line stays as it is,
 * byte for byte, whether or not it can be read. Changes are made in order: a name is free once its agent is removed.
 */
import { type ErrorCode, errorTable } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { shortened } from '../../base/logText.js'
import { agentIdText } from './agent.js'
import type { ClientKeys } from './clientKeys.js'
import type { KeyEntry, KeysAnswer, KeysChange } from './keyEntry.js'
import { claimedIdOf, isAgentIp, isAgentKey, isAgentName, keyLineText, readKeyLine } from './keyLine.js'

export interface KeysRewrite {
  /** One for each change, in order. */
  readonly answers: readonly KeysAnswer[]
  /** The new version, in order, most of it as parts of the old one; nothing when no change applies. */
  readonly parts: readonly Buffer[] | undefined
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
  readonly #removed = new Set<number>()
  #highestId: number
  /** Addresses that agents have, once they matter. */
  #ips: Map<string, number> | undefined

  constructor(keys: ClientKeys, managerName: string) {
    this.#keys = keys
    this.#managerName = managerName
    this.#highestId = keys.highestId
  }

  make(changes: readonly KeysChange[]): KeysRewrite {
    const answers = changes.map((change) => (change.kind === 'add' ? this.#add(change) : this.#remove(change.id)))
    return { answers, parts: this.#added.size + this.#removed.size === 0 ? undefined : this.#rewritten() }
  }

  // ----------------------------------------------------------------------------------------------------- decisions

  #add({ idFloor, ip, key, name }: Addition): KeysAnswer {
    const wrong = this.#wrongIn(name, ip, key)
    if (wrong) return wrong
    const namesake = this.#named(name)
    if (namesake && namesake.ip === ip && namesake.key === key) return { ok: true, entry: namesake }
    if (namesake || this.#keys.isShadowed(name)) return refused('duplicateAgentName', name)
    if (ip !== 'any' && (this.#knownIps().get(ip) ?? 0) > 0) return refused('duplicateAgentIp', ip)
    if (this.#keys.size + this.#added.size - this.#removed.size >= limits.agentsMax)
      return refused('tooManyAgents', String(limits.agentsMax))
    const highestId = Math.max(this.#highestId, idFloor)
    if (highestId >= limits.agentIdMax) return noIdLeft(highestId)
    const id = highestId + 1
    const entry = { id, name, ip, key }
    this.#highestId = id
    this.#added.set(name, entry)
    this.#countIp(ip, 1)
    return { ok: true, entry }
  }

  #wrongIn(name: string, ip: string, key: string): KeysAnswer | undefined {
    if (!isAgentName(name) || name === this.#managerName) return refused('agentNameInvalid', `${shown(name)} (${allowedNames})`)
    if (!isAgentIp(ip))
      return refused('agentIpInvalid', `${shown(ip)} (allowed are any, an IPv4 or IPv6 address, and a network such as 10.0.0.0/8)`)
    return isAgentKey(key) ? undefined : refused('agentKeyInvalid')
  }

  /** Who is added together with others stays: nobody knows the ID before the change is made. */
  #remove(id: number): KeysAnswer {
    const entry = this.#keys.get(id)
    if (!entry || this.#removed.has(id)) return refused('unknownAgent', agentIdText(id))
    this.#removed.add(id)
    this.#countIp(entry.ip, -1)
    return { ok: true, entry }
  }

  #named(name: string): KeyEntry | undefined {
    const id = this.#keys.idOf(name)
    return this.#added.get(name) ?? (id === undefined || this.#removed.has(id) ? undefined : this.#keys.get(id))
  }

  #knownIps(): Map<string, number> {
    if (this.#ips) return this.#ips
    this.#ips = new Map()
    for (const { id, ip } of this.#keys.entries()) if (!this.#removed.has(id)) this.#countIp(ip, 1)
    for (const { ip } of this.#added.values()) this.#countIp(ip, 1)
    return this.#ips
  }

  #countIp(ip: string, by: number): void {
    this.#ips?.set(ip, (this.#ips.get(ip) ?? 0) + by)
  }

  // ---------------------------------------------------------------------------------------------------- the new text

  #rewritten(): readonly Buffer[] {
    const { bytes } = this.#keys
    const parts: Buffer[] = []
    let kept = 0
    for (const nameAt of this.#removedNames(bytes)) {
      parts.push(bytes.subarray(kept, nameAt), Buffer.from('!'))
      kept = nameAt
    }
    parts.push(bytes.subarray(kept))
    if (this.#added.size > 0) {
      if (bytes.length > 0 && bytes.at(-1) !== newline) parts.push(Buffer.from('\n'))
      parts.push(Buffer.from([...this.#added.values()].map((entry) => `${keyLineText(entry)}\n`).join('')))
    }
    return parts
  }

  /** Where the names of the agents to be removed stand, in order. */
  *#removedNames(bytes: Buffer): Generator<number, void, undefined> {
    const wanted = new Set(this.#removed)
    for (let start = 0; start < bytes.length && wanted.size > 0; ) {
      const next = bytes.indexOf(newline, start)
      const end = next < 0 ? bytes.length : next
      const id = claimedIdOf(bytes.toString('latin1', start, Math.min(end, start + idCharsMax)))
      if (id !== undefined && wanted.has(id) && this.#isLineOf(id, bytes.subarray(start, end))) {
        wanted.delete(id)
        yield bytes.indexOf(space, start) + 1
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
    `No ID is left: ${agentIdText(highestId)} was used once, the highest that there is, and a new agent gets one above all that were ` +
    'ever used. docs/operating.md describes how to give up an ID that was a mistake',
})

const refused = (code: ErrorCode, what?: string): KeysAnswer => ({
  ok: false,
  code,
  message: what === undefined ? errorTable[code].says : `${errorTable[code].says}: ${what}`,
})
