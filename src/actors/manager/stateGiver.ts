/**
 * Brings the wazuh-db of a master up to what our table has of agents: whole rows, but for agents of which it knows of a newer sign of life. Rows
 * that it refuses are found by halving and left out, so that the others are not lost with them.
 */
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'
import { agentIdText } from '../../domain/agents/agent.js'
import { fullRow, isOutdated, isSeen, type SeenAgent } from '../../domain/manager/givenRows.js'
import { requestSlices } from '../../domain/manager/requestSlices.js'
import type { WazuhAgent } from '../../domain/manager/wazuhAgent.js'
import type { Clock, Log } from '../../ports/machine.js'
import { stateRowBytes, statesRequestBytes } from '../../wire/wazuh/agentStates.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import { Turns } from '../kit/turns.js'
import type { WatchedWazuhDb } from './watchedWazuhDb.js'

export interface StateGiverOptions {
  readonly agents: LocalAgents
  readonly db: WatchedWazuhDb
  /** The master. */
  readonly node: string
  readonly clock: Clock
  readonly log: Log
}

const sliceMax = { rowsMax: limits.wazuhDbRowsMax, bytesMax: limits.wazuhDbRequestBytesMax - statesRequestBytes }
/** A row that is refused this often is left out: wazuh-db says the same to a row that it cannot take and when it has a bad moment. */
const refusalsMax = 3
/** Rows refused one by one, and none taken: it is not the rows. */
const refusedInTurnMax = 8
/** Agents that were left out are tried alone, so that the others do not wait for them. */
const leftOutMax = 1_000

interface RefusedRow {
  readonly row: WazuhAgent
  readonly error: ClusterError
}

/** Of one call. */
interface Giving {
  readonly signal: AbortSignal
  readonly refused: RefusedRow[]
  isAnyTaken: boolean
}

export class StateGiver {
  readonly #options: StateGiverOptions
  /** How often rows were refused, by the agent. */
  readonly #refusals = new Map<number, number>()
  /** Agents whose last row was left out. */
  readonly #leftOut = new Set<number>()
  #lastGiven: Pick<WazuhAgent, 'id' | 'last_keepalive'> | undefined

  constructor(options: StateGiverOptions) {
    this.#options = options
  }

  /** Fails with `managerFailed`, and with `managerRefused` while rows are refused that may be taken yet: it is to be done again. */
  async give(ids: readonly number[], signal: AbortSignal): Promise<void> {
    const giving: Giving = { signal, refused: [], isAnyTaken: false }
    const turns = new Turns(this.#options.clock, signal)
    let ahead = this.#rowsFrom(ids, 0, signal)
    for (let at = 0; at < ids.length; at += limits.wazuhDbPresencesMax) {
      const rows = await ahead
      // Read while these are given.
      ahead = this.#rowsFrom(ids, at + limits.wazuhDbPresencesMax, signal)
      ahead.catch(() => undefined)
      const sound = this.#leftOut.size === 0 ? rows : rows.filter(({ id }) => !this.#leftOut.has(id))
      for (const slice of requestSlices(sound, stateRowBytes, sliceMax)) await this.#offer(slice, giving)
      if (sound.length < rows.length) await this.#offerAgain(rows, signal)
      if (turns.isOver(limits.wazuhDbPresencesMax)) await turns.next()
    }
    this.#leaveOut(giving)
  }

  /** wazuh-db commits late: when it was killed, what it took last is what it lost. */
  async isLastGivenLost(signal: AbortSignal): Promise<boolean> {
    if (!this.#lastGiven) return false
    const { id, last_keepalive = 0 } = this.#lastGiven
    const [held] = await this.#options.db.presencesOf([id], signal)
    const isLost = held !== undefined && (held.last_keepalive ?? 0) < last_keepalive
    if (isLost) this.#lastGiven = undefined
    return isLost
  }

  async #rowsFrom(all: readonly number[], start: number, signal: AbortSignal): Promise<readonly WazuhAgent[]> {
    const { agents, db, node } = this.#options
    const ids = all.slice(start, start + limits.wazuhDbPresencesMax)
    if (ids.length === 0) return []
    const [views, presences] = await Promise.all([agents.store.list({ ids }, 0), db.presencesOf(ids, signal)])
    const held = new Map(presences.map((presence) => [presence.id, presence]))
    const here = { node, nowMs: agents.clock.now() }
    const wanted = views.filter(isSeen).filter((view) => {
      const known = held.get(view.id)
      return known !== undefined && !isOutdated(view, known, here)
    })
    const heldRows = await this.#heldRows(
      wanted.filter(({ facts }) => facts === undefined),
      signal,
    )
    return wanted.map((view) => fullRow(view, heldRows.get(view.id)))
  }

  /** What wazuh-db has of agents of which our table has no details: a row overwrites every column. */
  async #heldRows(views: readonly SeenAgent[], signal: AbortSignal): Promise<ReadonlyMap<number, WazuhAgent>> {
    const rows = new Map<number, WazuhAgent>()
    for (let lastId = 0, next = views[0]; next; next = views.find(({ id }) => id > lastId)) {
      const page = await this.#options.db.agents(next.id - 1, signal)
      for (const row of page) rows.set(row.id, row)
      lastId = Math.max(next.id, page.at(-1)?.id ?? 0)
    }
    return rows
  }

  async #offer(rows: readonly WazuhAgent[], giving: Giving): Promise<void> {
    try {
      await this.#options.db.giveStates({ syncreq: rows, syncreq_keepalive: [], syncreq_status: [] }, giving.signal)
      giving.isAnyTaken = true
      this.#lastGiven = rows.at(-1)
      if (this.#refusals.size > 0) for (const { id } of rows) this.#refusals.delete(id)
    } catch (thrown) {
      if (!(thrown instanceof ClusterError) || (thrown.code !== 'managerRefused' && thrown.code !== 'tooLarge')) throw thrown
      const [row] = rows
      if (row && rows.length === 1) giving.refused.push({ row, error: thrown })
      if (!giving.isAnyTaken && giving.refused.length >= refusedInTurnMax) throw thrown
      if (rows.length === 1) return
      const half = Math.ceil(rows.length / 2)
      await this.#offer(rows.slice(0, half), giving)
      await this.#offer(rows.slice(half), giving)
    }
  }

  /** Those that were left out before, one by one: it was said already that they are refused. */
  async #offerAgain(rows: readonly WazuhAgent[], signal: AbortSignal): Promise<void> {
    for (const row of rows.filter(({ id }) => this.#leftOut.has(id))) {
      const giving: Giving = { signal, refused: [], isAnyTaken: false }
      await this.#offer([row], giving)
      if (!giving.isAnyTaken) continue
      this.#leftOut.delete(row.id)
      this.#options.log.info(`wazuh-db takes the state of agent ${agentIdText(row.id)} again.`)
    }
  }

  /** Fails while any of them is to be tried again. */
  #leaveOut({ isAnyTaken, refused }: Giving): void {
    const [first] = refused
    if (!first) return
    if (!isAnyTaken && refused.length > 1) throw first.error
    let again: ClusterError | undefined
    for (const { error, row } of refused) {
      const refusals = (this.#refusals.get(row.id) ?? 0) + 1
      this.#refusals.set(row.id, refusals)
      if (refusals < refusalsMax) again = error
    }
    if (again) throw again
    for (const { error, row } of refused) {
      this.#refusals.delete(row.id)
      if (this.#leftOut.size < leftOutMax) this.#leftOut.add(row.id)
      this.#options.log.error(`wazuh-db refuses the state of agent ${agentIdText(row.id)}, which is left out: ${fullStop(error.message)}`)
    }
  }
}
