/** Which agents exist, from client.keys: checks the file, returns what is trusted of it page by page, and changes it on the master. */

import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { idsDigest } from '../../domain/agents/agentIds.js'
import { ClientKeys, type KeysDelta } from '../../domain/agents/clientKeys.js'
import { type KeyEntry, type KeysAnswer, type KeysChange, type KeysPage, keysPath } from '../../domain/agents/keyEntry.js'
import { changeKeys } from '../../domain/agents/keys/keysChange.js'
import { KeysTrust, type KeysUpdates } from '../../domain/agents/keysTrust.js'
import type { WrittenFile } from '../../domain/files/treeValues.js'
import type { Disk } from '../../ports/files.js'
import { stampOf } from '../files/fileHash.js'
import { KeysFile, type KeysReading } from './keysFile.js'

export interface AgentKeysOptions {
  /** Absolute, without a slash at the end. */
  readonly home: string
  readonly role: 'master' | 'worker'
  /** Of the manager itself: no agent may have it. */
  readonly managerName: string
  /** How many agents there may be; limits.agentsMax when left out. */
  readonly agentsMax?: number
}

const changeAttemptsMax = 5
/** Of the most agents that there may be: from here on an operator should know. */
const crowdedShare = 0.9
const noDelta: KeysDelta = { upserts: [], marked: [], vanished: [] }

export class AgentKeys {
  readonly #disk: Disk
  readonly #options: AgentKeysOptions
  readonly #file: KeysFile
  readonly #keys = new ClientKeys()
  readonly #trust = new KeysTrust()
  /** What was found and not fetched yet; `undefined`: the agent is gone. */
  readonly #found = new Map<number, KeyEntry | undefined>()
  /** Agents whose lines this process dropped: they are gone for sure, although the file only lacks them. */
  readonly #dropped = new Set<number>()
  #problems: string[] = []
  readonly #loggedLines = new Set<string>()
  #isLoggedExposed = false
  #isLoggedCrowded = false
  #lastReading: KeysReading | undefined
  /** Counts the different contents that were read. */
  #contents = 0
  #againInMs: number | undefined
  #written: WrittenFile | undefined
  #idsAreWanted = false
  #confirmed = ''
  #digest: { readonly ids: Uint32Array; readonly digest: string } | undefined

  constructor(disk: Disk, options: AgentKeysOptions) {
    this.#disk = disk
    this.#options = options
    this.#file = new KeysFile(disk, options.home)
  }

  /**
   * @param all returns all trusted agents, whatever was returned before
   * @param confirmed on a worker, the digest of the agents that the master trusts; empty before it said so
   */
  check(all: boolean, confirmed: string): KeysPage {
    this.#confirmed = confirmed
    this.#check()
    if (all) {
      for (const id of this.#keys.markedIds()) this.#found.set(id, undefined)
      for (const entry of this.#keys.entries()) this.#found.set(entry.id, entry)
      for (const entry of this.#trust.missing) this.#found.set(entry.id, entry)
    }
    if (all && this.#trust.isComplete) this.#idsAreWanted = true
    return this.nextPage()
  }

  nextPage(): KeysPage {
    const upserts: KeyEntry[] = []
    const removals: number[] = []
    let room = limits.keysPageEntriesMax
    for (const [id, entry] of this.#found) {
      if (room-- === 0) break
      this.#found.delete(id)
      if (entry) upserts.push(entry)
      else removals.push(id)
    }
    const { ids } = this.#trust
    const done = this.#found.size === 0
    const isWithIds = done && this.#idsAreWanted
    if (isWithIds) this.#idsAreWanted = false
    const problems = this.#problems
    this.#problems = []
    const written = this.#written
    this.#written = undefined
    return {
      upserts,
      removals,
      problems,
      agents: ids.length,
      highestId: this.#keys.highestId,
      idsDigest: this.#digestOf(ids),
      ...(isWithIds && { ids }),
      ...(this.#againInMs !== undefined && { againInMs: this.#againInMs }),
      ...(written && { written }),
      done,
    }
  }

  /** @throws ClusterError when the file is not trusted or cannot be written; then nothing has changed */
  change(changes: readonly KeysChange[]): readonly KeysAnswer[] {
    if (this.#options.role !== 'master') throw new ClusterError('notOnWorker')
    if (changes.length > limits.keysChangesMax)
      throw new ClusterError('tooLarge', { message: `More than ${limits.keysChangesMax} changes of '${keysPath}' at a time` })
    for (let attempt = 1; attempt <= changeAttemptsMax; attempt++) {
      const suspicion = this.#check()
      const reading = this.#lastReading ?? { kind: 'missing' }
      if (suspicion !== undefined) throw new ClusterError('fileFailed', { message: suspicion })
      if (reading.kind === 'missing' || this.#keys.bytes.length === 0) this.#assertNew(changes, reading.kind)
      this.#assertSettled()
      const { answers, dropped, parts } = changeKeys(this.#keys, changes, this.#options.managerName)
      if (!parts) return answers
      if (parts.reduce((bytes, part) => bytes + part.length, 0) > limits.keysFileBytesMax)
        throw new ClusterError('tooLarge', { message: `'${keysPath}' would be larger than ${limits.keysFileBytesMax} bytes` })
      if (!this.#file.write(parts, reading)) continue
      this.#written = this.#file.written
      for (const id of dropped) this.#dropped.add(id)
      return answers
    }
    throw new ClusterError('fileFailed', { message: `'${keysPath}' keeps being changed by another program; nothing was changed.` })
  }

  /** Checks the file and notes what is trusted. Returns why it is not trusted, if it is not. */
  #check(): string | undefined {
    const reading = this.#file.read()
    const delta = this.#taken(reading)
    if (reading.kind === 'content' && this.#options.role === 'master') this.#reportExposed(reading.stat.mode)
    if (this.#options.role === 'master') this.#reportCrowded()
    const nowMs = this.#disk.now()
    const wasComplete = this.#trust.isComplete
    if (typeof delta === 'string') this.#note(this.#trust.suspect(nowMs, delta))
    else if (reading.kind !== 'content' || this.#keys.isEmpty) this.#note(this.#trust.suspect(nowMs, undefined))
    else this.#note(this.#trust.see(nowMs, `${this.#contents} ${stampOf(reading.stat)}`, delta, this.#confirmation()))
    if (this.#trust.isComplete && !wasComplete) this.#idsAreWanted = true
    return typeof delta === 'string' ? delta : undefined
  }

  #confirmation(): ((ids: Uint32Array) => boolean) | undefined {
    if (this.#options.role === 'master') return undefined
    return (ids) => this.#digestOf(ids) === this.#confirmed
  }

  /** What the reading says that the one before did not, or why it says nothing. */
  #taken(reading: KeysReading): KeysDelta | string {
    const isSame = reading === this.#lastReading
    this.#lastReading = reading
    const isAnyoneKnown = this.#trust.ids.length > 0
    if (reading.kind === 'unreadable') return `${reading.why} ${stays}`
    if (reading.kind === 'missing') return isAnyoneKnown ? `'${keysPath}' is missing. ${stays}` : noDelta
    if (isSame && reading.bytes === this.#keys.bytes) return noDelta
    const { bytes } = reading
    const isOther = !bytes.equals(this.#keys.bytes)
    const delta = this.#keys.replace(bytes, isAnyoneKnown)
    if (delta === 'noise') return `'${keysPath}' is not a text file. ${stays}`
    if (delta === 'noLine') return `'${keysPath}' lists no agents any more. ${stays}`
    if (isOther) this.#contents += 1
    if (isOther) this.#reportLines()
    return isOther ? this.#withDropped(delta) : delta
  }

  #withDropped(delta: KeysDelta): KeysDelta {
    if (this.#dropped.size === 0) return delta
    const gone = delta.vanished.filter(({ id }) => this.#dropped.has(id))
    const vanished = delta.vanished.filter(({ id }) => !this.#dropped.has(id))
    this.#dropped.clear()
    return { ...delta, marked: [...delta.marked, ...gone.map(({ id }) => id)], vanished }
  }

  #note({ againInMs, problem, removals, upserts }: KeysUpdates): void {
    this.#againInMs = againInMs
    if (problem !== undefined) this.#problems.push(problem)
    for (const entry of upserts) this.#found.set(entry.id, entry)
    for (const id of removals) this.#found.set(id, undefined)
  }

  /** Reports lines that cannot be used; each once, for as long as it is there. */
  #reportLines(): void {
    const { unusableCount, unusableLines } = this.#keys
    const present = new Set<string>()
    for (const { digest, sentence } of unusableLines) {
      present.add(digest)
      if (!this.#loggedLines.has(digest)) this.#problems.push(`'${keysPath}', ${sentence}. The line is left out, and kept as it is.`)
      this.#loggedLines.add(digest)
    }
    const more = unusableCount - unusableLines.length
    if (more > 0) {
      present.add(moreLines)
      if (!this.#loggedLines.has(moreLines))
        this.#problems.push(`'${keysPath}': ${counted(more, 'more line')} cannot be used: left out, and kept unchanged.`)
      this.#loggedLines.add(moreLines)
    }
    for (const digest of this.#loggedLines) if (!present.has(digest)) this.#loggedLines.delete(digest)
  }

  /** Reports that others can read the keys, once for as long as it is so. A worker gives its file the mode of the synced item. */
  #reportExposed(mode: number): void {
    const isExposed = (mode & 0o004) !== 0
    if (isExposed && !this.#isLoggedExposed)
      this.#problems.push(
        `'${keysPath}': every user of this machine can read it (mode ${(mode & 0o777).toString(8)}); the keys of the agents should be secret: chmod 640`,
      )
    this.#isLoggedExposed = isExposed
  }

  /** An agent that is missing while the file is being saved would be missing for good in a new version of it. */
  #assertSettled(): void {
    const [missing] = this.#trust.missing
    if (missing)
      throw new ClusterError('fileFailed', {
        message: `'${keysPath}' has just lost agents (for example ${missing.name}). It will not be changed until it has been stable for ${limits.keysTrustedMs / 1_000} s.`,
      })
  }

  /** A master that has had agents does not begin a new file: the old one is somewhere, or about to be saved. */
  #assertNew(changes: readonly KeysChange[], kind: KeysReading['kind']): void {
    const hadAgents = this.#keys.highestId > 0 || changes.some((change) => change.kind === 'add' && change.idFloor > 0)
    if (hadAgents)
      throw new ClusterError('fileFailed', {
        message: `'${keysPath}' is ${kind === 'missing' ? kind : 'empty'}, although there were agents. Restore it, or put a line with a # into it if they are meant to be gone.`,
      })
  }

  /** Warns once before no agent can be added any more. */
  #reportCrowded(): void {
    const { agentsMax = limits.agentsMax } = this.#options
    if (this.#isLoggedCrowded || this.#keys.size < crowdedShare * agentsMax) return
    this.#isLoggedCrowded = true
    this.#problems.push(
      `'${keysPath}' has ${counted(this.#keys.size, 'agent')}, the limit is ${agentsMax}: remove those that are not needed any more.`,
    )
  }

  #digestOf(ids: Uint32Array): string {
    if (this.#digest?.ids !== ids) this.#digest = { ids, digest: idsDigest(ids) }
    return this.#digest.digest
  }
}

const stays = 'Fix or restore it: until then no agent is added or removed.'
const moreLines = 'more'
