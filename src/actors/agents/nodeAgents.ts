/** A node's agents: the collaborators that hold what is known of them. When they act says the thread localAgents. */

import { limits } from '../../base/limits.js'
import type { AgentCounts } from '../../domain/agents/agent.js'
import type { Manager } from '../../domain/agents/leftToManager.js'
import type { EnrolmentRules } from '../../domain/agents/replacement.js'
import type { AgentFiles, AgentStore, MergeOutcome } from '../../ports/agents.js'
import type { Clock } from '../../ports/machine.js'
import { pause } from '../kit/pause.js'
import { Signal } from '../kit/signal.js'
import { AgentReports } from './agentReports.js'
import type { ClusterClock } from './clusterClock.js'
import { LocalGroups } from './localGroups.js'
import { LocalKeys } from './localKeys.js'
import { MasterState } from './masterState.js'
import { TableLife } from './tableLife.js'

/** How many agents are active at each node; nothing while that cannot be known. Never fails. */
export type ActiveAgents = (signal: AbortSignal) => Promise<ReadonlyMap<string, number> | undefined>

export interface LocalAgentsOptions {
  readonly node: string
  readonly role: 'master' | 'worker'
  readonly store: AgentStore
  readonly files: AgentFiles
  readonly clock: ClusterClock
  readonly disconnectionMs: number
  readonly manager: Manager
  readonly enrolmentRules: EnrolmentRules
  readonly timers: Pick<Clock, 'monotonicMs' | 'setTimeout' | 'clearTimeout'>
  /** Where somebody knows better than the table. */
  readonly activeAgents?: ActiveAgents | undefined
}

/** What a table that does not answer may delay an answer about the cluster. */
const countsMsMax = 1_000

export class LocalAgents {
  readonly store: AgentStore
  readonly files: AgentFiles
  readonly clock: ClusterClock
  /** Published by the thread localAgents. */
  readonly table = new TableLife()
  readonly reports: AgentReports
  /** A worker's batch was merged. */
  readonly merges = new Signal()
  /** On a worker. */
  readonly master = new MasterState()
  readonly groups: LocalGroups
  readonly keys: LocalKeys
  readonly #options: LocalAgentsOptions
  readonly #closing = new AbortController()
  #recent: { readonly atMs: number; readonly counts: Promise<AgentCounts> } | undefined
  #counts: AgentCounts = {
    byNode: new Map(),
    byStatus: { never_connected: 0, pending: 0, active: 0, disconnected: 0 },
    withoutGroups: 0,
  }
  #active: ReadonlyMap<string, number> | undefined

  constructor(options: LocalAgentsOptions) {
    const { clock, enrolmentRules, files, manager, node, store, timers } = options
    this.#options = options
    this.store = store
    this.files = files
    this.clock = clock
    const { table } = this
    this.reports = new AgentReports({ node, store, clock, opened: () => table.usable(this.#closing.signal) })
    this.groups = new LocalGroups(store, files, manager)
    this.keys = new LocalKeys({
      store,
      files,
      table,
      master: this.master,
      groups: this.groups,
      reports: this.reports,
      clock,
      rules: enrolmentRules,
      timers,
      closing: this.#closing.signal,
      ownsCounters: manager === 'none',
    })
    this.reports.defaulted.add(() => this.groups.changes.emit())
    this.master.tables.add(() => this.reports.updates.emit())
  }

  /** Takes a batch of a worker. */
  async merge(batch: Uint8Array, from: string): Promise<MergeOutcome> {
    const outcome = await this.store.merge(batch, from, this.clock.now())
    if (outcome.defaulted > 0) this.groups.changes.emit()
    this.merges.emit()
    return outcome
  }

  /** Whether silent agents are called disconnected here: a real manager does it itself. */
  get decidesSilence(): boolean {
    return this.#options.manager === 'none'
  }

  /** Calls silent agents disconnected: on the master all of them, on a worker its own. */
  async silence(): Promise<number> {
    const { disconnectionMs, node, role } = this.#options
    // Signs of life are in the master's time: by another clock an agent may seem silent that is not.
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
    const asking = this.#options.activeAgents?.(this.#closing.signal).then((active) => {
      this.#active = active
    })
    const waiting = new AbortController()
    await Promise.race([Promise.all([counting, asking]), pause(timers, countsMsMax, waiting.signal).catch(() => undefined)])
    waiting.abort()
    return this.#active ? withActive(this.#counts, this.#active) : this.#counts
  }

  /** As `counts`, at most limits.agentCountsMsMax old: for those who ask again and again. */
  recentCounts(): Promise<AgentCounts> {
    const nowMs = this.#options.timers.monotonicMs()
    if (this.#recent && nowMs - this.#recent.atMs < limits.agentCountsMsMax) return this.#recent.counts
    this.#recent = { atMs: nowMs, counts: this.counts() }
    return this.#recent.counts
  }

  async close(): Promise<void> {
    this.#closing.abort()
    this.table.close()
    await Promise.all([this.store.close(), this.files.close()])
  }
}

const withActive = (counts: AgentCounts, active: ReadonlyMap<string, number>): AgentCounts => {
  const nodes = new Set([...counts.byNode.keys(), ...active.keys()])
  const byNode = [...nodes].map((node) => [node, { ...counts.byNode.get(node), active: active.get(node) ?? 0 }] as const)
  return { ...counts, byNode: new Map(byNode) }
}
