/** A number of places: who finds none free waits for one, in order, as long as not too many wait. */
import { ClusterError } from '../../base/errors.js'

export class Places {
  readonly #what: string
  readonly #waitingMax: number
  readonly #waiting = new Set<() => void>()
  #free: number

  /** `what` has the places, in the plural, for the sentence of a refusal. */
  constructor(what: string, count: number, waitingMax: number) {
    this.#what = what
    this.#free = count
    this.#waitingMax = waitingMax
  }

  /** Returns what gives the place back. Fails with `overloaded`, and with the reason of the signal. */
  async take(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted()
    if (this.#free > 0) this.#free -= 1
    else await this.#wait(signal)
    let isTaken = true
    return () => {
      if (isTaken) this.#giveBack()
      isTaken = false
    }
  }

  #wait(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#waitingMax)
      throw new ClusterError('overloaded', { message: `${this.#waitingMax} ${this.#what} are already waiting` })
    return new Promise((resolve, reject) => {
      const settle = (then: () => void): void => {
        this.#waiting.delete(enter)
        signal.removeEventListener('abort', leave)
        then()
      }
      const enter = (): void => settle(resolve)
      const leave = (): void => settle(() => reject(signal.reason))
      this.#waiting.add(enter)
      signal.addEventListener('abort', leave, { once: true })
    })
  }

  #giveBack(): void {
    const [first] = this.#waiting
    if (first) first()
    else this.#free += 1
  }
}
