/** Which of our requests wait for their answers, and which answers are no longer waited for. */
import { ok, type Result, refuse } from '../../base/errors.js'

export class PendingRequests<T> {
  readonly #inFlightMax: number
  readonly #waiting = new Map<number, T>()
  /** Given up, but the peer still owes the answer; they count as in flight until it comes. */
  readonly #abandoned = new Set<number>()
  #lastId = 0

  constructor(inFlightMax: number) {
    this.#inFlightMax = inFlightMax
  }

  get size(): number {
    return this.#waiting.size
  }

  /** An id for one more request; fails when the peer owes too many answers already. */
  nextId(): Result<number> {
    if (this.#waiting.size + this.#abandoned.size >= this.#inFlightMax)
      return refuse('overloaded', { message: `${this.#inFlightMax} requests are already waiting for the peer's answers` })
    // Ids come round after 2³² requests; one that is still in use then is passed over.
    do this.#lastId = (this.#lastId + 1) % 2 ** 32
    while (this.#waiting.has(this.#lastId) || this.#abandoned.has(this.#lastId))
    return ok(this.#lastId)
  }

  add(id: number, request: T): void {
    this.#waiting.set(id, request)
  }

  /** The request that this answers, `abandoned` when it was given up, undefined when it was never asked. */
  answered(id: number): T | 'abandoned' | undefined {
    const request = this.#waiting.get(id)
    if (request !== undefined) {
      this.#waiting.delete(id)
      return request
    }
    return this.#abandoned.delete(id) ? 'abandoned' : undefined
  }

  abandon(id: number): void {
    if (this.#waiting.delete(id)) this.#abandoned.add(id)
  }

  [Symbol.iterator](): IterableIterator<T> {
    return this.#waiting.values()
  }

  /** Forgets everything and returns who waited. */
  clear(): T[] {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    this.#abandoned.clear()
    return waiting
  }
}
