/**
 * A node's view of its agents: the table, client.keys and the groups' directories beside it, and the time that all go by.
 * Looks at client.keys and changes of it take turns.
 */

import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { AgentCounts } from '../../domain/agents/agent.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { type LeftChange, leftToManager, type Manager } from '../../domain/agents/leftToManager.js'
import type { AgentFiles, AgentStore, MergeOutcome, OpenedStore } from '../../ports/agents.js'
import type { Clock } from '../../ports/machine.js'
import { pause } from '../kit/pause.js'
import { Signal, waitUntil } from '../kit/signal.js'
import { AgentReports } from './agentReports.js'
import { ChangesTogether } from './changesTogether.js'
import type { ClusterClock } from './clusterClock.js'
import { LocalGroups } from './localGroups.js'
import { MasterState } from './masterState.js'
import { TableOpening } from './tableOpening.js'
import { WatchedAgentStore } from './watchedAgentStore.js'

/** Who enrols: the key is made by who asks, so that asking twice is the same as asking once. */
export interface AgentRequest {
  readonly name: string
  /** `any`, an address or a network. */
  readonly ip: string
  readonly key: string
  readonly groups: readonly string[]
}

export interface KeysCheck {
  readonly agents: number
  /** Nothing was known before, so that all of them are new. */
  readonly isFirst: boolean
  readonly changed: number
  readonly removed: number
  readonly problems: readonly string[]
  /** Something is believed only at another look. */
  readonly againInMs: number | undefined
}

export interface LocalAgentsOptions {
  readonly node: string
  readonly role: 'master' | 'worker'
  readonly store: AgentStore
  readonly files: AgentFiles
  readonly clock: ClusterClock
  readonly disconnectionMs: number
  /** The manager's directory, for sentences. */
  readonly home: string
  readonly manager: Manager
  readonly timers: Pick<Clock, 'monotonicMs' | 'setTimeout' | 'clearTimeout'>
}

/** What a table that does not answer may delay a look at the cluster. */
const countsMsMax = 1_000

export class LocalAgents {
  readonly store: WatchedAgentStore
  readonly files: AgentFiles
  readonly clock: ClusterClock
  readonly reports: AgentReports
  /** Told when agents came or went, and when client.keys was looked at for the first time. */
  readonly keys = new Signal()
  /** This node wrote client.keys. */
  readonly keysWritten = new Signal()
  /** On a worker. */
  readonly master = new MasterState()
  readonly groups: LocalGroups
  readonly #options: LocalAgentsOptions
  readonly #changes: ChangesTogether
  #turn: Promise<unknown> = Promise.resolve()
  readonly #opening: TableOpening
  #counts: AgentCounts = {
    activeByNode: new Map(),
    byStatus: { never_connected: 0, pending: 0, active: 0, disconnected: 0 },
    withoutGroups: 0,
  }
  #idsDigest = ''
  #hadAgents: boolean | undefined
  /** client.keys was believed in what it lacks. */
  #isTrusted = false
  #firstCheckMs = 0
  readonly #closing = new AbortController()
  /** An answer about client.keys did not reach the table. */
  #checkAll = false

  constructor(options: LocalAgentsOptions) {
    const { clock, files, node, store } = options
    this.#options = options
    this.store = new WatchedAgentStore(store)
    this.#opening = new TableOpening(this.store)
    this.files = files
    this.clock = clock
    this.reports = new AgentReports({ node, store: this.store, clock, opened: () => this.usable(this.#closing.signal) })
    this.groups = new LocalGroups(this.store, files, () => this.#assertOurs({ kind: 'groups' }))
    this.#changes = new ChangesTogether({
      files,
      inTurn: (work) => this.#inTurn(work),
      onWritten: async (signal) => {
        this.keysWritten.emit()
        await this.#check(signal)
      },
    })
    this.reports.defaulted.add(() => this.groups.changes.emit())
    this.master.tables.add(() => this.reports.updates.emit())
  }

  /** Opens the table; a failed attempt can be repeated. */
  open(): Promise<OpenedStore> {
    return this.#opening.open()
  }

  /** The table is damaged: the next `open` makes it anew, and then there are no agents before the next look. */
  giveUpTable(): void {
    this.#opening.giveUp()
    this.#idsDigest = ''
    this.#checkAll = true
  }

  /** Of the table; empty before it is open. */
  get table(): string {
    return this.#opening.table
  }

  /** Of the agents that exist, see KeysPage; empty before the first look. */
  get idsDigest(): string {
    return this.#idsDigest
  }

  /** The same, once it is sure that client.keys lacks nobody by mistake; empty before. */
  get trustedDigest(): string {
    return this.#isTrusted ? this.#idsDigest : ''
  }

  /** Whether there ever were agents, as far as client.keys and the table tell; unknown before the first look. */
  get hadAgents(): boolean | undefined {
    return this.#hadAgents
  }

  /** Resolves when the table is open and has the agents of client.keys. */
  ready(signal: AbortSignal): Promise<void> {
    return waitUntil(
      () => this.#idsDigest !== '',
      (listener) => this.keys.add(listener),
      signal,
    )
  }

  /** For somebody who waits for an answer: as `ready`, but fails with what keeps the table from being opened. */
  async usable(signal: AbortSignal): Promise<void> {
    const onChanged = (listener: () => void) => {
      const stopKeys = this.keys.add(listener)
      const stopFailures = this.#opening.failures.add(listener)
      return () => {
        stopKeys()
        stopFailures()
      }
    }
    await waitUntil(() => this.#idsDigest !== '' || this.#opening.failure !== undefined, onChanged, signal)
    if (this.#opening.failure) throw this.#opening.failure
  }

  // --------------------------------------------------------------------------------------------------- who exists

  /** Brings the table in line with client.keys. */
  check(signal: AbortSignal): Promise<KeysCheck> {
    return this.#inTurn(() => this.#check(signal))
  }

  async #check(signal: AbortSignal): Promise<KeysCheck> {
    const opening = this.open()
    const opened = await opening
    const all = this.#checkAll
    this.#checkAll = true
    const problems: string[] = []
    const gone: number[] = []
    const isFirst = this.#idsDigest === ''
    let changed = 0
    let page = await this.files.check(all, this.master.ids, signal)
    for (;;) {
      if (page.upserts.length > 0) await this.store.addAgents(page.upserts)
      changed += page.upserts.length
      for (const id of page.removals) gone.push(id)
      problems.push(...page.problems)
      if (page.done) break
      page = await this.files.nextPage(signal)
    }
    let removed = gone.length > 0 ? await this.store.removeAgents(gone) : 0
    if (page.ids) {
      const others = await this.store.keepAgents(page.ids)
      removed += others.length
      for (const id of others) gone.push(id)
    }
    if (gone.length > 0 && this.#options.manager === 'none') await this.files.forget(gone, signal)
    if (isFirst) {
      this.#firstCheckMs = this.#options.timers.monotonicMs()
      await this.groups.begin(opened, page.agents)
    }
    this.#hadAgents ||= page.highestId > 0 || (await this.store.highestId()) > 0
    // Given up meanwhile: the next table has nothing of what this one was told.
    if (this.open() !== opening) throw new ClusterError('tableDamaged')
    this.#checkAll = false
    this.reports.forget(gone)
    const isOther = this.#idsDigest !== page.idsDigest || (page.ids !== undefined && !this.#isTrusted)
    if (page.ids) this.#isTrusted = true
    this.#idsDigest = page.idsDigest
    if (isOther) this.keys.emit()
    if (removed > 0) this.groups.changes.emit()
    return { agents: page.agents, isFirst, changed, removed, problems, againInMs: page.againInMs }
  }

  /** On the master: enrols an agent. Fails with what the rules say (errors from 9005 on). */
  async add({ groups, ip, key, name }: AgentRequest, signal: AbortSignal): Promise<KeyEntry> {
    this.#assertOurs({ kind: 'add' })
    await this.#steady(signal)
    await this.groups.assertThere(groups, signal).catch(asGroupsOfNewAgent)
    const idFloor = await this.store.highestId()
    const entry = await this.#changes.make({ kind: 'add', name, ip, key, idFloor })
    if (groups.length > 0) await this.groups.change({ kind: 'replace', ids: [entry.id], groups }, signal)
    return entry
  }

  /** On the master. Fails with `unknownAgent`. */
  async remove(id: number, signal: AbortSignal): Promise<KeyEntry> {
    this.#assertOurs({ kind: 'remove', id })
    await this.#steady(signal)
    return this.#changes.make({ kind: 'remove', id })
  }

  /** Every change of agents and groups, whoever asks for it, comes by here. */
  #assertOurs(change: LeftChange): void {
    const { home, manager } = this.#options
    if (manager === 'wazuh') throw leftToManager(change, home)
  }

  /**
   * A process that has just begun cannot tell a client.keys that is being saved from one that lacks agents: it changes nothing
   * before the file could be believed, unless there are no agents to lose.
   */
  async #steady(signal: AbortSignal): Promise<void> {
    await this.usable(signal)
    const { timers } = this.#options
    const missingMs = this.#firstCheckMs + limits.keysTrustedMs - timers.monotonicMs()
    if (missingMs <= 0 || (await this.store.highestId()) === 0) return
    await pause(timers, missingMs, signal, this.#closing.signal)
  }

  // ------------------------------------------------------------------------------------------------ what they do

  /** Takes a batch of a worker. */
  async merge(batch: Uint8Array, from: string): Promise<MergeOutcome> {
    const outcome = await this.store.merge(batch, from, this.clock.now())
    if (outcome.defaulted > 0) this.groups.changes.emit()
    return outcome
  }

  /** Calls silent agents disconnected: on the master all of them, on a worker its own. */
  async silence(): Promise<number> {
    const { disconnectionMs, node, role } = this.#options
    // Signs of life are in the master's time: by another clock an agent may look silent that is not.
    if (!this.clock.isMeasured) return 0
    const silenced = await this.store.silence(this.clock.now(), disconnectionMs, role === 'master' ? undefined : node)
    if (silenced > 0) this.reports.updates.emit()
    return silenced
  }

  /** Of the table as it is, or as it was when it last answered: a locked or broken one must not keep anybody from seeing the cluster. */
  async counts(): Promise<AgentCounts> {
    const { timers } = this.#options
    const counting = this.store.counts().then(
      (counts) => {
        this.#counts = counts
      },
      () => undefined,
    )
    const waiting = new AbortController()
    await Promise.race([counting, pause(timers, countsMsMax, waiting.signal).catch(() => undefined)])
    waiting.abort()
    return this.#counts
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([this.store.close(), this.files.close()])
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(work, work)
    this.#turn = mine.catch(() => undefined)
    return mine
  }
}

/** Enrolment has one number for all that can be wrong with the groups of a new agent, as Wazuh's has. */
const asGroupsOfNewAgent = (thrown: unknown): never => {
  if (!(thrown instanceof ClusterError) || !['groupMissing', 'groupNameInvalid', 'tooManyGroups'].includes(thrown.code)) throw thrown
  throw new ClusterError('groupInvalid', { message: `The agent cannot be put into its groups: ${thrown.message}` })
}
