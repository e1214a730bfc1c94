/** The time that something may take: a signal that is aborted when it is over, or with another one. */
import { asClusterError, ClusterError } from '../../base/errors.js'
import type { Clock } from '../../ports/machine.js'

export class TimeLimit {
  readonly #abort = new AbortController()
  readonly #clock: Pick<Clock, 'clearTimeout'>
  readonly #timer: unknown
  readonly #outer: AbortSignal
  readonly #onOuter = (): void => this.#stop(outerReason(this.#outer))

  /** @param what takes this long at most, for the sentence that says that it did not end */
  constructor(clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>, msMax: number, outer: AbortSignal, what: string) {
    this.#clock = clock
    this.#outer = outer
    const late = `${what} did not end within ${msMax / 1_000} seconds`
    this.#timer = clock.setTimeout(() => this.#stop(new ClusterError('requestTimeout', { message: late })), msMax)
    outer.addEventListener('abort', this.#onOuter, { once: true })
    if (outer.aborted) this.#onOuter()
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  /** Why it was aborted, which says more than that it was. */
  reasonOr(thrown: unknown): unknown {
    return this.signal.aborted ? this.signal.reason : thrown
  }

  /** Nothing is aborted by it any more. */
  end(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#outer.removeEventListener('abort', this.#onOuter)
  }

  #stop(reason: ClusterError): void {
    this.end()
    this.#abort.abort(reason)
  }
}

const outerReason = ({ reason }: AbortSignal): ClusterError =>
  reason instanceof ClusterError ? reason : new ClusterError('aborted', { cause: asClusterError(reason) })
