/** The AgentStore port over a file of SQLite: all of it happens in a thread of its own, one call after the other. */
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { asClusterError, ClusterError } from '../errors.js'
import { limits } from '../limits.js'
import type { AgentStore } from '../ports.js'
import type { SqliteAgentTableOptions } from './sqliteAgentTable.js'
import { isRefusal, refusalIn, type ThreadRefusal } from './threadAnswer.js'

export interface SqliteAgentStoreOptions {
  readonly home: string
  readonly role: 'master' | 'worker'
  /** The compiled agentStoreWorker; the one beside this file when left out. */
  readonly workerFile?: URL
}

type Answer<K extends keyof AgentStore> = Awaited<ReturnType<AgentStore[K]>>

const file = 'queue/db/global.db'
/** What a table that does not answer may delay a stop. */
const closeMsMax = 1_000
const defaultWorkerFile = new URL('./agentStoreWorker.js', import.meta.url)

export class SqliteAgentStore implements AgentStore {
  readonly #pool: Piscina
  /** The call before the next one: piscina's own queue does not keep the order of tasks when its thread is busy. */
  #turn: Promise<unknown> = Promise.resolve()
  #calls = 0
  #closing: Promise<void> | undefined
  /** A thread that died took its open table with it; what it was doing may be done or not. */
  #death: ClusterError | undefined

  constructor({ home, role, workerFile = defaultWorkerFile }: SqliteAgentStoreOptions) {
    const workerData: SqliteAgentTableOptions = { path: join(home, file), role }
    this.#pool = new Piscina({
      filename: fileURLToPath(workerFile),
      name: 'call',
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      workerData,
    })
    this.#pool.on('error', (thrown: unknown) => this.#die(thrown))
    for (const worker of this.#pool.threads) worker.once('error', (thrown) => this.#die(thrown))
  }

  readonly open = this.#operation('open')
  readonly addAgents = this.#operation('addAgents')
  readonly removeAgents = this.#operation('removeAgents')
  readonly keepAgents = this.#operation('keepAgents')
  readonly highestId = this.#operation('highestId')
  readonly record = this.#operation('record')
  readonly correct = this.#operation('correct')
  readonly unsent = this.#operation('unsent')
  readonly acknowledge = this.#operation('acknowledge')
  readonly silence = this.#operation('silence')
  readonly groupsState = this.#operation('groupsState')
  readonly changeGroups = this.#operation('changeGroups')
  readonly groupsPage = this.#operation('groupsPage')
  readonly takeGroups = this.#operation('takeGroups')
  readonly settleGroups = this.#operation('settleGroups')
  readonly multigroups = this.#operation('multigroups')
  readonly groupSizes = this.#operation('groupSizes')
  readonly shape = this.#operation('shape')
  readonly list = this.#operation('list')
  readonly counts = this.#operation('counts')

  merge(...[batch, from, nowMs]: Parameters<AgentStore['merge']>): ReturnType<AgentStore['merge']> {
    // What is part of a larger buffer, such as a frame, is copied: the rest is not ours to move.
    const isWhole = batch.byteLength === batch.buffer.byteLength
    const own = isWhole && batch.buffer instanceof ArrayBuffer ? new Uint8Array(batch.buffer) : Uint8Array.from(batch)
    return this.#call('merge', [own, from, nowMs], [own.buffer])
  }

  /** Waits for the call that is under way, but not long for a locked table; the calls behind it fail. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    const waited = new AbortController()
    // Begins in the next turn, when the store counts as closed.
    const closed = this.#turn.then(() => (this.#death ? undefined : this.#pool.run({ name: 'close', given: [] })))
    const late = pause(closeMsMax, undefined, { signal: waited.signal })
    await Promise.race([closed, late]).catch(() => undefined)
    waited.abort()
    await Promise.all([late.catch(() => undefined), this.#pool.destroy(), closed.catch(() => undefined)])
  }

  #operation<K extends keyof AgentStore>(name: K): (...given: Parameters<AgentStore[K]>) => Promise<Answer<K>> {
    return (...given) => this.#call(name, given, [])
  }

  async #call<K extends keyof AgentStore>(name: K, given: Parameters<AgentStore[K]>, transferList: ArrayBuffer[]): Promise<Answer<K>> {
    this.#assertAlive()
    if (this.#calls >= limits.agentCallsWaitingMax)
      throw new ClusterError('overloaded', { message: "Too many calls wait for the agents' table" })
    this.#calls += 1
    let answer: Answer<K> | ThreadRefusal
    try {
      answer = await this.#inTurn(() => this.#pool.run({ name, given }, { transferList }))
    } catch (thrown) {
      this.#assertAlive()
      throw asClusterError(thrown, 'tableFailed')
    } finally {
      this.#calls -= 1
    }
    if (isRefusal(answer)) throw refusalIn(answer)
    return answer
  }

  #inTurn<T>(start: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(() => {
      this.#assertAlive()
      return start()
    })
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #assertAlive(): void {
    if (this.#closing) throw new ClusterError('aborted', { message: "The agents' table is closed" })
    if (this.#death) throw this.#death
  }

  #die(thrown: unknown): void {
    if (!this.#closing) this.#death ??= asClusterError(thrown, 'tableFailed')
  }
}
