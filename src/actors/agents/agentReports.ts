/**
 * What the listeners of this node see of their agents, on its way to the table: each report becomes a stamped record, and
 * records of the same moment are written together.
 */

import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import {
  type AgentDetails,
  type AgentUpdates,
  type Disconnection,
  type Presence,
  type PresenceStatus,
  shiftedPresence,
  shiftedTimes,
} from '../../domain/agents/agent.js'
import type { AgentReport } from '../../domain/agents/agentReport.js'
import { type RefusedFact, siftFacts } from '../../domain/agents/packedFacts.js'
import { soundUpdates } from '../../domain/agents/soundUpdates.js'
import type { AgentReportsStore, RecordOutcome } from '../../ports/agents.js'
import { Signal } from '../kit/signal.js'
import type { ClusterClock } from './clusterClock.js'

/** A connection that an agent has to this node. */
interface Connected {
  readonly epochMs: number
  readonly seenMs: number
  /** No keep-alive came since the start-up. */
  readonly isStarting: boolean
}

/** What came of the updates of one call. */
interface Recorded {
  readonly counts: ReportCounts
  readonly unknownAgents: readonly number[]
}

interface Waiting {
  updates: AgentUpdates
  /** More than signs of life: something is another than before. */
  readonly isUrgent: boolean
  readonly resolve: (recorded: Recorded) => void
  readonly reject: (thrown: unknown) => void
}

/** Of the reports of one call: a report counts once, whatever it holds. A `lost` of an agent that was not connected says nothing and is in none. */
export interface ReportCounts {
  /** The table has them now, or newer ones. */
  readonly taken: number
  /** About agents that are not in the table. */
  readonly unknown: number
  /** They break a rule, such as that on times. */
  readonly refused: number
}

export interface RefusedFactOfAgent extends RefusedFact {
  readonly id: number
}

/** What came of the reports of one call, and their facts that were left out. */
export interface ReportOutcome extends ReportCounts {
  /** The first limits.reportedFailuresMax of them. */
  readonly refusedFacts: readonly RefusedFactOfAgent[]
}

const nothing: ReportOutcome = { taken: 0, unknown: 0, refused: 0, refusedFacts: [] }

/** Each report has one presence. */
const countsOf = ({ presences }: AgentUpdates, nowMs: number, { refused, unknownAgents }: RecordOutcome): ReportCounts => {
  const sound = refused === 0 ? presences : soundUpdates({ presences, details: [] }, nowMs).updates.presences
  const strangers = new Set(unknownAgents)
  const unknown = strangers.size === 0 ? 0 : sound.filter(({ id }) => strangers.has(id)).length
  return { taken: sound.length - unknown, unknown, refused: presences.length - sound.length }
}

export interface AgentReportsOptions {
  readonly node: string
  readonly store: Pick<AgentReportsStore, 'record' | 'correct'>
  readonly clock: ClusterClock
  /** Resolves when the store is open. */
  readonly opened: () => Promise<unknown>
}

export class AgentReports {
  readonly #options: AgentReportsOptions
  readonly #connected = new Map<number, Connected>()
  readonly #waiting: Waiting[] = []
  #reportsWaiting = 0
  #isWriting = false
  #taken = 0
  /** What the times in the table that our own clock gave still have to be shifted by. */
  #correctionMs: number | undefined
  /** There is something that the master should get at once: more than a sign of life. */
  readonly updates = new Signal()
  /** Agents got the group `default`. */
  readonly defaulted = new Signal()
  /** A fact of an agent is left out; emitted once for each fact of an agent. */
  readonly factRefused = new Signal<RefusedFactOfAgent>()
  readonly #refusedBefore = new Map<number, Set<RefusedFact['fact']>>()

  constructor(options: AgentReportsOptions) {
    this.#options = options
    const { clock } = options
    if (clock.isMeasured) return
    const stop = clock.measurements.add(() => {
      stop()
      this.#correct(clock.skewMs)
    })
  }

  /** Reports that wait for the table. */
  get waiting(): number {
    return this.#reportsWaiting
  }

  /** Reports that the table has taken since the start. */
  get taken(): number {
    return this.#taken
  }

  /** Resolves when the reports are durable. Fails with `overloaded`, `tableFailed`. */
  async add(reports: readonly AgentReport[]): Promise<ReportOutcome> {
    this.#assertRoomFor(reports.length)
    const isUrgent = reports.some(({ facts, id, kind }) => facts || kind !== 'keepAlive' || this.#connected.get(id)?.isStarting)
    // Stamped here and now: however long it waits for the table, it is as old as what was seen.
    const refusedFacts: RefusedFactOfAgent[] = []
    const updates = this.#updatesOf(reports, refusedFacts)
    if (updates.presences.length === 0) return nothing
    const { counts } = await this.#recorded(updates, isUrgent)
    return { ...counts, refusedFacts }
  }

  /**
   * What another program saw of agents, stamped by the cluster's clock as it is now. Resolves when it is durable, with the agents that are
   * not in the table though a row is about them. Fails as `add` does.
   */
  async addUpdates(updates: AgentUpdates, isUrgent: boolean): Promise<readonly number[]> {
    this.#assertRoomFor(updates.presences.length + updates.details.length)
    const { unknownAgents } = await this.#recorded(updates, isUrgent)
    if (unknownAgents.length === 0) return unknownAgents
    const own = new Set([...updates.presences, ...updates.details].map(({ id }) => id))
    return unknownAgents.filter((id) => own.has(id))
  }

  #recorded(updates: AgentUpdates, isUrgent: boolean): Promise<Recorded> {
    this.#reportsWaiting += updates.presences.length
    return new Promise((resolve, reject) => {
      this.#waiting.push({ updates, isUrgent, resolve, reject })
      if (!this.#isWriting) void this.#write()
    })
  }

  #assertRoomFor(reports: number): void {
    if (this.#reportsWaiting + reports > limits.agentReportsWaitingMax)
      throw new ClusterError('overloaded', { message: 'Too many reports about agents are waiting for the table' })
  }

  forget(ids: readonly number[]): void {
    for (const id of ids) {
      this.#connected.delete(id)
      this.#refusedBefore.delete(id)
    }
  }

  /**
   * Puts right the times in the table that were noted by our own clock, once the master's time is known. Nothing is sent or
   * recorded before that has succeeded. Fails with `tableFailed`, and is then to be tried again.
   */
  async correct(): Promise<void> {
    await this.#options.opened()
    if (this.#correctionMs === undefined) return
    await this.#options.store.correct(this.#correctionMs)
    this.#correctionMs = undefined
  }

  async #write(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.length > 0) {
      const failure = await this.correct().catch((thrown: unknown) => ({ thrown }))
      if (!failure && this.#correctionMs !== undefined) continue
      // In one turn with the call of the store: what was stamped before the master's time was known is recorded before it is corrected.
      const together = this.#waiting.splice(0)
      this.#reportsWaiting = 0
      try {
        if (failure) throw failure.thrown
        await this.#record(together)
      } catch (thrown) {
        for (const { reject } of together) reject(thrown)
      }
    }
    this.#isWriting = false
  }

  async #record(together: readonly Waiting[]): Promise<void> {
    const { clock, store } = this.#options
    const presences = together.flatMap(({ updates }) => updates.presences)
    const details = together.flatMap(({ updates }) => updates.details)
    const nowMs = clock.now()
    const outcome = await store.record({ presences, details }, nowMs, clock.isMeasured)
    if (outcome.defaulted > 0) this.defaulted.emit()
    if (together.some(({ isUrgent }) => isUrgent)) this.updates.emit()
    for (const { updates, resolve } of together) {
      const counts = countsOf(updates, nowMs, outcome)
      this.#taken += counts.taken
      resolve({ counts, unknownAgents: outcome.unknownAgents })
    }
  }

  #updatesOf(reports: readonly AgentReport[], refusedFacts: RefusedFactOfAgent[]): AgentUpdates {
    const nowMs = this.#options.clock.now()
    const presences: Presence[] = []
    const details: AgentDetails[] = []
    for (const report of reports) {
      const presence = this.#presenceOf(report, nowMs)
      if (!presence) continue
      presences.push(presence)
      if (!report.facts) continue
      const { epochMs, id, node, seenMs } = presence
      const { packed, refused } = siftFacts(report.facts)
      details.push({ id, seenMs, epochMs, node, facts: packed })
      for (const fact of refused) {
        this.#refuse({ id, ...fact })
        if (refusedFacts.length < limits.reportedFailuresMax) refusedFacts.push({ id, ...fact })
      }
    }
    return { presences, details }
  }

  #refuse(refused: RefusedFactOfAgent): void {
    const before = this.#refusedBefore.get(refused.id) ?? new Set()
    this.#refusedBefore.set(refused.id, before)
    if (before.has(refused.fact)) return
    before.add(refused.fact)
    this.factRefused.emit(refused)
  }

  #presenceOf({ id, kind }: AgentReport, nowMs: number): Presence | undefined {
    const before = this.#connected.get(id)
    if (kind === 'lost') {
      // It rests on the last sign of life over this connection: an agent that has gone to another node since is not touched.
      this.#connected.delete(id)
      return before && this.#presence(id, before, 'disconnected', nowMs, 'connectionLost')
    }
    // A connection that this process did not see begin counts from now on.
    const isStarting = kind === 'startup'
    const connected = { epochMs: isStarting ? nowMs : (before?.epochMs ?? nowMs), seenMs: nowMs, isStarting }
    if (kind === 'shutdown') {
      this.#connected.delete(id)
      return this.#presence(id, connected, 'disconnected', nowMs, 'shutdown')
    }
    this.#connected.set(id, connected)
    return this.#presence(id, connected, isStarting ? 'pending' : 'active', 0, 'none')
  }

  #presence(
    id: number,
    { epochMs, seenMs }: Connected,
    status: PresenceStatus,
    disconnectedMs: number,
    disconnection: Disconnection,
  ): Presence {
    return { id, seenMs, epochMs, status, node: this.#options.node, disconnectedMs, disconnection }
  }

  /** The master's time is known for the first time: what was noted by our own clock is put right. */
  #correct(byMs: number): void {
    for (const [id, { epochMs, isStarting, seenMs }] of this.#connected)
      this.#connected.set(id, { epochMs: epochMs + byMs, seenMs: seenMs + byMs, isStarting })
    for (const waiting of this.#waiting) {
      const { details, presences } = waiting.updates
      waiting.updates = {
        presences: presences.map((row) => shiftedPresence(row, byMs)),
        details: details.map((row) => shiftedTimes(row, byMs)),
      }
    }
    this.#correctionMs = byMs
  }
}
