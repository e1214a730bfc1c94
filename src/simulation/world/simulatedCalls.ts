/** Calls to a simulated disk: they take a little virtual time, and fail once the port is closed, like those to a thread. */
import { asClusterError, ClusterError } from '../../base/errors.js'
import type { Clock } from '../../ports/machine.js'

export class SimulatedCalls {
  readonly #clock: Clock
  readonly #delayMs: number
  /** What has to be said to those who wait when the port is closed. */
  readonly #timers = new Map<unknown, () => void>()
  #isClosed = false

  /** @param delayMs of each call */
  constructor(clock: Clock, delayMs: number) {
    this.#clock = clock
    this.#delayMs = delayMs
  }

  later(act: () => void, ms: number, onClosed: () => void): void {
    const timer = this.#clock.setTimeout(() => {
      this.#timers.delete(timer)
      act()
    }, ms)
    this.#timers.set(timer, onClosed)
  }

  run<T>(signal: AbortSignal | undefined, work: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed) {
        reject(closed())
        return
      }
      const act = (): void => {
        try {
          if (signal?.aborted) throw new ClusterError('aborted', { cause: signal.reason })
          resolve(work())
        } catch (thrown) {
          reject(asClusterError(thrown, thrown instanceof Error && 'code' in thrown ? 'fileFailed' : 'internal'))
        }
      }
      this.later(act, this.#delayMs, () => reject(closed()))
    })
  }

  close(): void {
    this.#isClosed = true
    for (const [timer, onClosed] of this.#timers) {
      this.#clock.clearTimeout(timer)
      onClosed()
    }
    this.#timers.clear()
  }
}

const closed = (): ClusterError => new ClusterError('aborted', { message: 'The files are closed' })
