/** A daemon of the manager that cannot be used for a while: one line when that begins, one for each other reason, one when it is over. */
import type { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import type { Log } from '../../ports/machine.js'

export interface OutageOptions {
  readonly log: Log
  /** What does not work meanwhile: `The groups of agents could not be read`. */
  readonly says: string
  /** That it works again, as a sentence. */
  readonly saysOver: string
}

export class Outage {
  readonly #options: OutageOptions
  #reason: string | undefined

  constructor(options: OutageOptions) {
    this.#options = options
  }

  get isLasting(): boolean {
    return this.#reason !== undefined
  }

  failed({ message }: ClusterError): void {
    if (message === this.#reason) return
    this.#reason = message
    this.#options.log.error(`${this.#options.says}: ${fullStop(message)} Retrying.`)
  }

  /** Returns whether it had failed before. */
  worked(): boolean {
    const isOver = this.isLasting
    this.#reason = undefined
    if (isOver) this.#options.log.info(this.#options.saysOver)
    return isOver
  }
}
