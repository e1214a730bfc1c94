/** The time that one request may take, and the signal that says when it is over. */
import { ClusterError } from '../../base/errors.js'

export class BoundedCall {
  readonly #stop = new AbortController()
  readonly #timer: NodeJS.Timeout
  #reject: ((reason: unknown) => void) | undefined

  constructor(msMax: number) {
    this.#timer = setTimeout(() => this.stop(timeout(msMax)), msMax)
  }

  get signal(): AbortSignal {
    return this.#stop.signal
  }

  stop(reason: ClusterError): void {
    this.#stop.abort(reason)
    this.#reject?.(reason)
  }

  /** Its time counts no more. */
  end(): void {
    clearTimeout(this.#timer)
  }

  /** As the promise settles, but fails when the call is stopped before, or when this takes longer. One at a time. */
  settled<T>(promise: T | Promise<T>, msMax?: number): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const timer = msMax === undefined ? undefined : setTimeout(() => reject(timeout(msMax)), msMax)
      this.#reject = reject
      Promise.resolve(promise)
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
      if (this.#stop.signal.aborted) reject(this.#stop.signal.reason)
    })
  }
}

const timeout = (msMax: number): ClusterError => new ClusterError('requestTimeout', { message: `No answer came within ${msMax / 1_000} s` })
