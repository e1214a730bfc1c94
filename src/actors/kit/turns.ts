/** Long work in pieces: after a number of steps everything else gets a turn, and the work ends once its result is no longer wanted. */
import { limits } from '../../base/limits.js'
import type { Clock } from '../../ports/machine.js'
import { pause } from './pause.js'

export class Turns {
  readonly #timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  readonly #signal: AbortSignal
  #left = limits.stepsPerTurnMax

  constructor(timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>, signal: AbortSignal) {
    this.#timers = timers
    this.#signal = signal
  }

  /** Counts work that is done. True: wait for `next` before the rest. */
  isOver(steps = 1): boolean {
    this.#left -= steps
    return this.#left <= 0
  }

  /** Fails with `aborted`. */
  async next(): Promise<void> {
    await pause(this.#timers, 0, this.#signal)
    this.#left = limits.stepsPerTurnMax
  }
}
