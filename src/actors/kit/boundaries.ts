/** The failure boundaries of a node, stopped together; the end of any of them, while they run, is a failure of the node. */
import type { AnyActorLogic, InputFrom } from 'xstate'
import { ClusterError } from '../../base/errors.js'
import type { Clock } from '../../ports/machine.js'
import { type Hosted, startHosted } from './host.js'
import { Signal } from './signal.js'

export class Boundaries {
  readonly failed = new Signal<ClusterError>()
  readonly #clock: Clock
  readonly #running: Hosted[] = []
  #isStopped = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  run<L extends AnyActorLogic>(logic: L, input?: InputFrom<L>): void {
    const hosted = startHosted<L>(logic, {
      clock: this.#clock,
      ...(input !== undefined && { input }),
      onEnd: ({ error }) => {
        if (!this.#isStopped) this.failed.emit(error ?? new ClusterError('threadCrashed'))
      },
    })
    this.#running.push(hosted)
  }

  /** Timers that run in them. */
  get timers(): number {
    return this.#running.reduce((sum, { timers }) => sum + timers, 0)
  }

  stop(): void {
    this.#isStopped = true
    for (const hosted of this.#running.splice(0)) hosted.stop()
  }
}
