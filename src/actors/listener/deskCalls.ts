/** Calls to the node, one at a time, so that all that comes meanwhile goes together with the next one; what failed is tried again after a while. */
import { limits } from '../../base/limits.js'
import type { Clock } from '../../ports/machine.js'

export interface DeskCallsOptions<Batch, Answer> {
  readonly clock: Clock
  /** What the next call is about; undefined when nothing waits. */
  take(): Batch | undefined
  call(batch: Batch): Promise<Answer>
  onAnswer(batch: Batch, answer: Answer): void
  /** It is to wait again. */
  onFailure(batch: Batch, thrown: unknown): void
}

export class DeskCalls<Batch, Answer> {
  readonly #options: DeskCallsOptions<Batch, Answer>
  #isBusy = false
  #retry: unknown
  #isClosed = false

  constructor(options: DeskCallsOptions<Batch, Answer>) {
    this.#options = options
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Something may wait. */
  wake(): void {
    if (this.#isBusy || this.#retry !== undefined) return
    const batch = this.#options.take()
    if (batch === undefined) return
    this.#isBusy = true
    this.#options.call(batch).then(
      (answer) => this.#answered(batch, answer),
      (thrown: unknown) => this.#failed(batch, thrown),
    )
  }

  close(): void {
    this.#isClosed = true
    if (this.#retry !== undefined) this.#options.clock.clearTimeout(this.#retry)
    this.#retry = undefined
  }

  #answered(batch: Batch, answer: Answer): void {
    this.#isBusy = false
    if (this.#isClosed) return
    this.#options.onAnswer(batch, answer)
    this.wake()
  }

  #failed(batch: Batch, thrown: unknown): void {
    this.#isBusy = false
    if (this.#isClosed) return
    this.#options.onFailure(batch, thrown)
    this.#retry = this.#options.clock.setTimeout(() => {
      this.#retry = undefined
      this.wake()
    }, limits.agentDeskRetryMs)
  }
}
