/** The AgentStore port of a simulated node: its table, called one operation after the other in virtual time. */

import { asClusterError, ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { CalledAgentStore, type StoreAnswer, type StoreCall } from '../../calledAgentStore.js'
import type { AgentTable, StoreOperation } from '../../ports/agents.js'
import type { Clock } from '../../ports/machine.js'
import type { MemoryAgentTable } from './memoryAgentTable.js'

/** Of each call. */
const delayMs = 0.1
/** Between two attempts at a locked table. */
const pauseMs = 20

interface Waiting {
  /** False: the table is locked, and the call is to be tried again. */
  readonly attempt: () => boolean
  readonly fail: (error: ClusterError) => void
}

export class MemoryAgentStore extends CalledAgentStore {
  readonly #table: MemoryAgentTable
  readonly #clock: Clock
  readonly #waiting: Waiting[] = []
  #timer: unknown
  #isOpen = false
  #isClosed = false

  constructor(table: MemoryAgentTable, clock: Clock) {
    super()
    this.#table = table
    this.#clock = clock
  }

  /** A crash of the process is the same: what waits is lost, what was answered is in the table. */
  close(): Promise<void> {
    this.#isClosed = true
    this.#clock.clearTimeout(this.#timer)
    for (const { fail } of this.#waiting.splice(0)) fail(closed())
    return Promise.resolve()
  }

  protected call<K extends StoreOperation>(name: K, given: StoreCall<K>): Promise<StoreAnswer<K>> {
    if (this.#isClosed) return Promise.reject(closed())
    if (this.#waiting.length >= limits.agentCallsWaitingMax)
      return Promise.reject(new ClusterError('overloaded', { message: "Too many calls wait for the agents' table" }))
    const table: AgentTable = this.#table
    const operation: AgentTable[K] = table[name]
    // As a thread has it: what the caller does to its objects afterwards changes nothing.
    const own = ownCopy(given)
    return new Promise((resolve, reject) => {
      let untilMs: number | undefined
      const attempt = (): boolean => {
        untilMs ??= this.#clock.monotonicMs() + limits.agentTableLockedMsMax
        if (this.#table.isLocked && this.#clock.monotonicMs() <= untilMs) return false
        try {
          if (this.#table.isLocked) throw new ClusterError('tableFailed', { message: "The agents' table is locked" })
          if (name === 'open') this.#isOpen = true
          else if (this.#table.isDamaged) throw new ClusterError('tableDamaged')
          if (!this.#isOpen) throw new ClusterError('tableFailed', { message: "The agents' table is not open" })
          resolve(ownCopy(operation.call(table, ...own)))
        } catch (thrown) {
          reject(asClusterError(thrown, 'tableFailed'))
        }
        return true
      }
      this.#waiting.push({ attempt, fail: reject })
      if (this.#waiting.length === 1) this.#next(delayMs)
    })
  }

  #next(inMs: number): void {
    this.#timer = this.#clock.setTimeout(() => {
      const isDone = this.#waiting[0]?.attempt() !== false
      if (isDone) this.#waiting.shift()
      if (this.#waiting.length > 0) this.#next(isDone ? delayMs : pauseMs)
    }, inMs)
  }
}

/** What is not changeable needs no copy, and a copy of it costs more than the call. */
const ownCopy = <T>(value: T): T => {
  const isPlain = typeof value !== 'object' || value === null || (Array.isArray(value) && value.every((part) => typeof part !== 'object'))
  return isPlain ? value : structuredClone(value)
}

const closed = (): ClusterError => new ClusterError('aborted', { message: "The agents' table is closed" })
