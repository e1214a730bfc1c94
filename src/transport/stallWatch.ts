/** Notices that a stream takes nothing for too long. One timer for many waits in a row: it checks when it fires. */
import type { Clock } from '../ports/machine.js'

export class StallWatch {
  readonly #clock: Clock
  readonly #stallMsMax: number
  readonly #onStalled: () => void
  #waitsSinceMs: number | undefined
  #timer: unknown

  constructor(clock: Clock, stallMsMax: number, onStalled: () => void) {
    this.#clock = clock
    this.#stallMsMax = stallMsMax
    this.#onStalled = onStalled
  }

  get isWaiting(): boolean {
    return this.#waitsSinceMs !== undefined
  }

  waits(): void {
    this.#waitsSinceMs = this.#clock.monotonicMs()
    if (this.#timer === undefined) this.#checkIn(this.#stallMsMax)
  }

  moves(): void {
    this.#waitsSinceMs = undefined
  }

  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #checkIn(ms: number): void {
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#waitsSinceMs === undefined) return
      const leftMs = this.#waitsSinceMs + this.#stallMsMax - this.#clock.monotonicMs()
      if (leftMs > 0) this.#checkIn(leftMs)
      else this.#onStalled()
    }, ms)
  }
}
