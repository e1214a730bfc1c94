/**
 * The time that all nodes mean when they speak of agents: the master's clock. A worker knows it from its keep-alives, and
 * counts on from there by its own monotonic clock, so that setting a worker's clock changes nothing.
 */
import type { Clock } from '../../ports/machine.js'
import { Signal, waitUntil } from '../kit/signal.js'

export class ClusterClock {
  readonly #clock: Clock
  readonly #isMaster: boolean
  /** Emitted when the master's time was measured. */
  readonly measurements = new Signal()
  /** The master's clock minus our monotonic one, once it is known. */
  #offsetMs: number | undefined

  constructor(clock: Clock, role: 'master' | 'worker') {
    this.#clock = clock
    this.#isMaster = role === 'master'
  }

  /** Whole milliseconds since 1970. */
  now(): number {
    return Math.round(this.#offsetMs === undefined ? this.#clock.now() : this.#clock.monotonicMs() + this.#offsetMs)
  }

  /** Whether `now` is the master's time, and not only ours. */
  get isMeasured(): boolean {
    return this.#isMaster || this.#offsetMs !== undefined
  }

  /** What has to be added to times of our own clock to make them the master's. */
  get skewMs(): number {
    return this.now() - Math.round(this.#clock.now())
  }

  /** On a worker: the master's clock showed `masterMs` when our monotonic one showed `monotonicMs`. */
  measure(masterMs: number, monotonicMs: number): void {
    this.#offsetMs = masterMs - monotonicMs
    this.measurements.emit()
  }

  /** Resolves once the master's time is known. */
  measured(signal: AbortSignal): Promise<void> {
    return waitUntil(
      () => this.isMeasured,
      (listener) => this.measurements.add(listener),
      signal,
    )
  }
}
