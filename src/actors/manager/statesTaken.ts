/**
 * States taken: on a worker with a real manager, what became of its agents, from its wazuh-db into our table, from where it goes to the
 * master. wazuh-db says a thing once: it is in the journal before anything else, and there until the table has it.
 */
import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'
import type { AgentUpdates } from '../../domain/agents/agent.js'
import { areLeftOpen, takenUpdates } from '../../domain/manager/rowUpdates.js'
import { parseTakenEntry, printTakenEntry, type TakenEntry } from '../../domain/manager/takenEntry.js'
import type { WazuhStates } from '../../domain/manager/wazuhAgent.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { TakenJournal } from '../../ports/manager.js'
import { takenSlices } from '../../wire/wazuh/agentStates.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import { periodicThread, type Round, type RoundEnd } from '../kit/periodicThread.js'
import { Turns } from '../kit/turns.js'
import { Outage } from './outage.js'
import { isLoggedFailure, type WatchedWazuhDb } from './watchedWazuhDb.js'

export interface StatesTakenOptions {
  readonly agents: LocalAgents
  readonly db: WatchedWazuhDb
  readonly journal: TakenJournal
  readonly node: string
  readonly clock: Clock
  readonly log: Log
}

const pollMs = 1_000
/** Slices of an answer that the table has not answered yet while the next one is made. */
const slicesAheadMax = 4
/** How long a report waits for client.keys to have its agent, and how many do. */
const strangerMsMax = 60_000
const strangersMax = 4_096

interface Stranger {
  readonly untilMs: number
  readonly updates: AgentUpdates
}

class StatesTaker {
  readonly #options: StatesTakenOptions
  /** In the journal, and not in the table yet. */
  readonly #pending: TakenEntry[] = []
  #hasJournal: boolean
  /** When wazuh-db was asked last, by the machine's clock; 0 before. */
  #sinceMs = 0
  /** The newest reports about agents that are not in the table yet: their rows may be a moment ahead of client.keys. */
  readonly #strangers = new Map<number, Stranger>()
  readonly outage: Outage

  constructor(options: StatesTakenOptions) {
    this.#options = options
    this.outage = new Outage({
      log: options.log,
      says: 'The states of agents could not be taken from wazuh-db',
      saysOver: 'The states of agents can be taken from wazuh-db again.',
    })
    const entries = options.journal.entries()
    this.#hasJournal = entries.length > 0
    for (const entry of entries) {
      const parsed = parseTakenEntry(entry)
      if (parsed) this.#pending.push(parsed)
      else options.log.error('An entry in the journal of agent states cannot be read and is skipped.')
    }
  }

  async take({ signal }: Round): Promise<RoundEnd> {
    const { agents, db } = this.#options
    await agents.table.ready(signal)
    await this.#recordPending(signal)
    if (this.#strangers.size > 0) await this.#recordStrangers()
    if (db.waitMs > 0) return 'failed'
    const takenMs = ownNow(agents)
    const answer = await db.takeStates(signal)
    const times = { takenMs, sinceMs: this.#sinceMs }
    if (answer) this.#note({ ...times, text: answer.text })
    this.#sinceMs = takenMs
    await this.#recordPending(signal)
    if (areLeftOpen(times)) db.lost.emit()
    this.outage.worked()
    return answer?.isMore ? 'again' : 'done'
  }

  #note(entry: TakenEntry): void {
    this.#options.journal.append(printTakenEntry(entry))
    this.#hasJournal = true
    this.#pending.push(entry)
  }

  async #recordPending(signal: AbortSignal): Promise<void> {
    for (let entry = this.#pending[0]; entry; entry = this.#pending[0]) {
      await this.#record(entry, signal)
      this.#pending.shift()
    }
    if (!this.#hasJournal) return
    this.#options.journal.clear()
    this.#hasJournal = false
  }

  async #record(entry: TakenEntry, signal: AbortSignal): Promise<void> {
    const { db, log } = this.#options
    try {
      await this.#recordSlices(entry, signal)
    } catch (thrown) {
      if (!(thrown instanceof ClusterError) || thrown.code !== 'malformed') throw thrown
      log.error(`wazuh-db's report about agents cannot be read: ${fullStop(thrown.message)} Comparing all agents.`)
      db.lost.emit()
    }
  }

  async #recordSlices(entry: TakenEntry, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options
    const turns = new Turns(clock, signal)
    const underWay: Promise<void>[] = []
    let left = 0
    try {
      for (const { dropped, states } of takenSlices(entry.text, limits.wazuhDbRowsMax)) {
        left += dropped
        // Reading, converting and copying a slice is what a turn may take.
        if (turns.isOver(limits.stepsPerTurnMax)) await turns.next()
        underWay.push(this.#recordRows(states, entry))
        // What comes while the table is written is written together.
        if (underWay.length >= slicesAheadMax) await Promise.all(underWay.splice(0))
      }
    } finally {
      await Promise.all(underWay)
    }
    if (left > 0) log.warning(`Dropped ${counted(left, 'row')} of wazuh-db with invalid values.`)
  }

  /** Stamped and handed to the reports in one turn: a clock that is corrected meanwhile corrects them too. */
  async #recordRows(states: WazuhStates, { sinceMs, takenMs }: TakenEntry): Promise<void> {
    const { agents, node } = this.#options
    const { clock, reports } = agents
    const nowMs = clock.now()
    const taken = nowMs - Math.max(0, ownNow(agents) - takenMs)
    const since = sinceMs === 0 ? 0 : taken - Math.max(0, takenMs - sinceMs)
    const updates = takenUpdates(states, { node, takenMs: taken, sinceMs: since, skewMs: clock.skewMs })
    const isUrgent = states.syncreq.length + states.syncreq_status.length > 0
    const { isMeasured } = clock
    const unknown = await reports.addUpdates(updates, isUrgent)
    // Of a clock that may be corrected while they wait, only what is in the table is corrected.
    if (unknown.length > 0 && isMeasured) this.#keepStrangers(updates, unknown)
  }

  #keepStrangers({ details, presences }: AgentUpdates, unknown: readonly number[]): void {
    const untilMs = this.#options.clock.monotonicMs() + strangerMsMax
    for (const id of unknown) {
      if (this.#strangers.size >= strangersMax && !this.#strangers.has(id)) break
      const isOfAgent = (row: { readonly id: number }): boolean => row.id === id
      const before = this.#strangers.get(id)?.updates.details ?? []
      const newer = details.filter(isOfAgent)
      const updates = { presences: presences.filter(isOfAgent), details: newer.length > 0 ? newer : before }
      this.#strangers.set(id, { untilMs, updates })
    }
  }

  async #recordStrangers(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs()
    const waiting = [...this.#strangers.values()]
    const updates = {
      presences: waiting.flatMap((stranger) => stranger.updates.presences),
      details: waiting.flatMap((stranger) => stranger.updates.details),
    }
    const unknown = new Set(await this.#options.agents.reports.addUpdates(updates, true))
    for (const [id, { untilMs }] of this.#strangers) if (!unknown.has(id) || untilMs < nowMs) this.#strangers.delete(id)
  }
}

/** By the machine's clock, which wazuh-db has too. Whole milliseconds. */
const ownNow = ({ clock }: LocalAgents): number => clock.now() - clock.skewMs

export const statesTaken = (options: StatesTakenOptions) =>
  periodicThread({
    id: 'statesTaken',
    clock: options.clock,
    everyMs: pollMs,
    begin: () => new StatesTaker(options),
    wakes: () => [],
    initial: 'taking',
    steps: { taking: (taker, round) => taker.take(round) },
    restMs: () => Math.max(pollMs, options.db.waitMs),
    onFailure: ({ outage }, error) => {
      if (!isLoggedFailure(error)) outage.failed(error)
    },
  })
