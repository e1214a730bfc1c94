/** Something that happens often, as one line of the log a minute: the first time at once, then with how often it happened since. */
import type { Clock } from '../../ports/machine.js'

const intervalMs = 60_000

export class MinuteSum {
  readonly #clock: Clock
  readonly #log: (count: number) => void
  #timer: unknown
  #count = 0

  constructor(clock: Clock, log: (count: number) => void) {
    this.#clock = clock
    this.#log = log
  }

  add(count: number): void {
    this.#count += count
    if (this.#count > 0 && this.#timer === undefined) this.#say()
  }

  /** It is over: what was not logged yet is not logged any more. */
  forget(): void {
    this.#count = 0
  }

  /** What was not logged yet is logged now. */
  close(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#count > 0) this.#log(this.#count)
    this.#count = 0
  }

  #say(): void {
    const count = this.#count
    this.#count = 0
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      if (this.#count > 0) this.#say()
    }, intervalMs)
    this.#log(count)
  }
}
