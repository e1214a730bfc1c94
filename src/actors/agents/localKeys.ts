/**
 * Which agents exist on this node: client.keys, read into the table and changed on the master. Reading and changing take turns. When it is
 * read says the thread localAgents, but for what was just changed.
 */
import { ClusterError } from '../../base/errors.js'
import { InTurn } from '../../base/inTurn.js'
import { limits } from '../../base/limits.js'
import type { EnrolmentRequest } from '../../domain/agents/enrolmentRequest.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { EnrolmentRules } from '../../domain/agents/replacement.js'
import type { WrittenFile } from '../../domain/files/treeValues.js'
import type { AgentFiles, AgentKeysStore, OpenedStore } from '../../ports/agents.js'
import type { Clock } from '../../ports/machine.js'
import { pause } from '../kit/pause.js'
import { Published } from '../kit/published.js'
import { Signal } from '../kit/signal.js'
import type { AgentReports } from './agentReports.js'
import { type ChangeMade, ChangesTogether } from './changesTogether.js'
import type { ClusterClock } from './clusterClock.js'
import { KeysFeed, type KeysFeedPage } from './keysFeed.js'
import type { LocalGroups } from './localGroups.js'
import type { MasterState } from './masterState.js'
import type { TableLife } from './tableLife.js'

/** An agent that enrols: the caller makes the key, so that asking twice is the same as asking once. */
export interface AgentRequest {
  readonly name: string
  /** `any`, an address or a network. */
  readonly ip: string
  readonly key: string
  readonly groups: readonly string[]
}

/** What a check of client.keys did, for the log. */
export interface KeysCheck {
  readonly agents: number
  /** Nothing was known before, so that all of them are new. */
  readonly isFirst: boolean
  readonly changed: number
  readonly removed: number
  readonly problems: readonly string[]
  /** Something is trusted only at another check. */
  readonly againInMs: number | undefined
}

/** What a check has just brought the table in line with. */
export interface KeysFound {
  readonly idsDigest: string
  /** client.keys lacks no agent by mistake. */
  readonly isTrusted: boolean
}

export interface LocalKeysOptions {
  readonly store: AgentKeysStore
  readonly files: AgentFiles
  readonly table: TableLife
  readonly master: MasterState
  readonly groups: LocalGroups
  readonly reports: Pick<AgentReports, 'forget'>
  readonly clock: Pick<ClusterClock, 'now'>
  readonly rules: EnrolmentRules
  readonly timers: Pick<Clock, 'monotonicMs' | 'setTimeout' | 'clearTimeout'>
  /** Aborted when the node stops. */
  readonly closing: AbortSignal
  /** Whether the counters of agents that are gone are ours to delete. */
  readonly ownsCounters: boolean
}

export class LocalKeys {
  /** Emitted when agents came or went, and when client.keys was read for the first time. */
  readonly changes = new Signal()
  /** This node wrote client.keys. */
  readonly written = new Signal<WrittenFile>()
  /** By the first check that succeeded since the table was opened, and by those that found something else. */
  readonly found = new Published<KeysFound>({ idsDigest: '', isTrusted: false })
  readonly #options: LocalKeysOptions
  readonly #changesTogether: ChangesTogether
  readonly #inTurn = new InTurn()
  readonly #feed = new KeysFeed()
  #hadAgents: boolean | undefined
  #hasChecked = false
  /** The opening of the table that has all that was read so far; undefined while an answer of the files may not have reached it. */
  #complete: OpenedStore | undefined

  constructor(options: LocalKeysOptions) {
    this.#options = options
    this.#changesTogether = new ChangesTogether({
      files: options.files,
      store: options.store,
      rules: options.rules,
      now: () => options.clock.now(),
      timers: options.timers,
      closing: options.closing,
      inTurn: this.#inTurn,
      onWritten: async (signal) => {
        await this.#check(signal)
      },
      assignGroups: async (ids, groups, signal) => {
        await options.groups.change({ kind: 'replace', ids, groups }, signal)
      },
    })
  }

  /** Whether there ever were agents, as far as client.keys and the table show; unknown before the first check. */
  get hadAgents(): boolean | undefined {
    return this.#hadAgents
  }

  /** Brings the table in line with client.keys. Fails with what keeps the table from being opened, with `tableDamaged` when it is given up meanwhile. */
  check(signal: AbortSignal): Promise<KeysCheck> {
    return this.#inTurn.run(() => this.#check(signal))
  }

  /**
   * Calls back with all agents, as they are trusted, and then with each change, until the returned function is called. What a check found
   * is reported as it is read: one that fails halfway is followed by one that begins with all agents again.
   */
  follow(take: (page: KeysFeedPage) => void): () => void {
    const stop = this.#feed.add(take)
    // The first check of all reports all of them anyway. One that fails is made again by the thread localAgents.
    if (this.#hasChecked) this.check(this.#options.closing).catch(() => undefined)
    return stop
  }

  async #check(signal: AbortSignal): Promise<KeysCheck> {
    const { clock, files, groups, master, ownsCounters, reports, store, table } = this.#options
    const opened = await table.opened(signal)
    const all = this.#hasChecked && (this.#complete !== opened || this.#feed.wantsAll)
    let isFirstPage = all || !this.#hasChecked
    this.#hasChecked = true
    this.#complete = undefined
    if (isFirstPage) this.#feed.beginAll()
    const problems: string[] = []
    const gone: number[] = []
    const isFirst = table.value.state === 'unread'
    let changed = 0
    let page = await files.check(all, master.ids, signal)
    if (page.written) this.written.emit(page.written)
    for (;;) {
      if (page.upserts.length > 0) await store.addAgents(page.upserts, clock.now())
      changed += page.upserts.length
      for (const id of page.removals) gone.push(id)
      problems.push(...page.problems)
      this.#feed.emit({ isFirst: isFirstPage, upserts: page.upserts, removals: page.removals, isLast: false })
      isFirstPage = false
      if (page.done) break
      page = await files.nextPage(signal)
    }
    let removed = gone.length > 0 ? await store.removeAgents(gone) : 0
    if (page.ids) {
      const others = await store.keepAgents(page.ids)
      removed += others.length
      for (const id of others) gone.push(id)
    }
    if (gone.length > 0 && ownsCounters) await files.forget(gone, signal)
    if (isFirst) await groups.begin(opened, page.agents)
    this.#hadAgents ||= page.highestId > 0 || (await store.highestId()) > 0
    // Given up meanwhile: the next table has nothing of what this one was given.
    if (!('opened' in table.value) || table.value.opened !== opened) throw new ClusterError('tableDamaged')
    this.#complete = opened
    this.#feed.emit({ isFirst: false, upserts: [], removals: gone, isLast: true })
    reports.forget(gone)
    const found = { idsDigest: page.idsDigest, isTrusted: page.ids !== undefined }
    if (isFirst || found.idsDigest !== this.found.value.idsDigest || found.isTrusted !== this.found.value.isTrusted)
      this.found.publish(found)
    if (removed > 0) groups.changes.emit()
    return { agents: page.agents, isFirst, changed, removed, problems, againInMs: page.againInMs }
  }

  /** On the master: adds an agent. Fails with what the rules say (errors from 9005 on). */
  async add({ groups: wanted, ip, key, name }: AgentRequest, signal: AbortSignal): Promise<KeyEntry> {
    await this.#steady(signal)
    await this.#options.groups.assertThere(wanted, signal).catch(asGroupsOfNewAgent)
    const { entry } = await this.#changesTogether.make({ kind: 'add', name, ip, key, groups: wanted })
    return entry
  }

  /** On the master: an agent enrols, perhaps in place of others. Fails as `add` does. */
  async enrol(request: EnrolmentRequest, signal: AbortSignal): Promise<ChangeMade> {
    await this.#steady(signal)
    const missing = await this.#options.groups.firstMissing(request.groups, signal).catch(asGroupsOfNewAgent)
    if (missing !== undefined) throw new ClusterError('groupInvalid', { message: `Invalid group: ${missing}`, context: { group: missing } }) // as Wazuh writes it
    return this.#changesTogether.make({ kind: 'enrol', ...request })
  }

  /** On the master. Fails with `unknownAgent`. */
  async remove(id: number, signal: AbortSignal): Promise<KeyEntry> {
    await this.#steady(signal)
    const { entry } = await this.#changesTogether.make({ kind: 'remove', id })
    return entry
  }

  /**
   * A process that has just begun cannot distinguish a client.keys that is being saved from one that lacks agents: it changes nothing
   * before the file could be trusted, unless there are no agents to lose.
   */
  async #steady(signal: AbortSignal): Promise<void> {
    const { closing, store, table, timers } = this.#options
    await table.usable(signal)
    const nowMs = timers.monotonicMs()
    const missingMs = (table.readMs ?? nowMs) + limits.keysTrustedMs - nowMs
    if (missingMs <= 0 || (await store.highestId()) === 0) return
    await pause(timers, missingMs, signal, closing)
  }
}

/** Enrolment has one number for all that can be wrong with the groups of a new agent, as Wazuh's has. */
const asGroupsOfNewAgent = (thrown: unknown): never => {
  if (!(thrown instanceof ClusterError) || !['groupMissing', 'groupNameInvalid', 'tooManyGroups'].includes(thrown.code)) throw thrown
  throw new ClusterError('groupInvalid', { message: `The agent cannot be put into its groups: ${thrown.message}` })
}
