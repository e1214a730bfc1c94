/** wazuh-db, of which all threads of a node know together whether it answers: one line when it is gone, one when it is back. */
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import type { WazuhGroupsRow, WazuhStates } from '../../domain/manager/wazuhAgent.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { WazuhDb } from '../../ports/manager.js'
import { Signal } from '../kit/signal.js'

export interface WatchedWazuhDbOptions {
  readonly db: WazuhDb
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
}

/** Between two attempts while it is gone: as long as it has been gone, within these. */
const retryMsMin = 1_000
const retryMsMax = 10_000

export class WatchedWazuhDb implements WazuhDb {
  readonly #options: WatchedWazuhDbOptions
  /** Something may be lost, there or on the way: it answers again after a while, what it was given last is not there, or it was not asked for a long time. */
  readonly lost = new Signal()
  #gone: { readonly sinceMs: number; readonly retryAtMs: number } | undefined

  constructor(options: WatchedWazuhDbOptions) {
    this.#options = options
  }

  /** How long a thread leaves it alone, because it did not answer; 0 while it does. */
  get waitMs(): number {
    return this.#gone ? Math.max(0, this.#gone.retryAtMs - this.#options.clock.monotonicMs()) : 0
  }

  takeStates(signal: AbortSignal): ReturnType<WazuhDb['takeStates']> {
    return this.#watch((db) => db.takeStates(signal))
  }

  giveStates(states: WazuhStates, signal: AbortSignal): ReturnType<WazuhDb['giveStates']> {
    return this.#watch((db) => db.giveStates(states, signal))
  }

  presencesOf(ids: readonly number[], signal: AbortSignal): ReturnType<WazuhDb['presencesOf']> {
    return this.#watch((db) => db.presencesOf(ids, signal))
  }

  agents(after: number, signal: AbortSignal): ReturnType<WazuhDb['agents']> {
    return this.#watch((db) => db.agents(after, signal))
  }

  activeAgents(signal: AbortSignal): ReturnType<WazuhDb['activeAgents']> {
    return this.#watch((db) => db.activeAgents(signal))
  }

  takeGroups(signal: AbortSignal): ReturnType<WazuhDb['takeGroups']> {
    return this.#watch((db) => db.takeGroups(signal))
  }

  groups(after: number, signal: AbortSignal): ReturnType<WazuhDb['groups']> {
    return this.#watch((db) => db.groups(after, signal))
  }

  groupsHash(signal: AbortSignal): ReturnType<WazuhDb['groupsHash']> {
    return this.#watch((db) => db.groupsHash(signal))
  }

  recalculateGroups(signal: AbortSignal): ReturnType<WazuhDb['recalculateGroups']> {
    return this.#watch((db) => db.recalculateGroups(signal))
  }

  setGroups(rows: readonly WazuhGroupsRow[], signal: AbortSignal): ReturnType<WazuhDb['setGroups']> {
    return this.#watch((db) => db.setGroups(rows, signal))
  }

  async #watch<T>(ask: (db: WazuhDb) => Promise<T>): Promise<T> {
    try {
      const answer = await ask(this.#options.db)
      this.#answered()
      return answer
    } catch (thrown) {
      if (thrown instanceof ClusterError && thrown.code === 'managerFailed') this.#failed(thrown)
      else if (thrown instanceof ClusterError && thrown.code === 'managerRefused') this.#answered()
      throw thrown
    }
  }

  #answered(): void {
    if (!this.#gone) return
    const { clock, log } = this.#options
    log.info(`wazuh-db answers again after ${logSeconds(clock.monotonicMs() - this.#gone.sinceMs)}.`)
    this.#gone = undefined
    this.lost.emit()
  }

  #failed({ message }: ClusterError): void {
    const { clock, log } = this.#options
    const nowMs = clock.monotonicMs()
    if (!this.#gone) log.error(`wazuh-db does not answer: ${fullStop(message)} Nothing is lost; retrying.`)
    const sinceMs = this.#gone?.sinceMs ?? nowMs
    this.#gone = { sinceMs, retryAtMs: nowMs + Math.min(retryMsMax, Math.max(retryMsMin, nowMs - sinceMs)) }
  }
}

/** What its watch has logged already. */
export const isLoggedFailure = (error: ClusterError): boolean => error.code === 'managerFailed'
