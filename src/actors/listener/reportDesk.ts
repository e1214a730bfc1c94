/** Hands reports to the node: one batch at a time, so that all that comes meanwhile goes together; what fails is tried again until something newer came. */
import { limits } from '../../base/limits.js'
import type { AgentReport } from '../../domain/agents/agentReport.js'
import { ReportQueue } from '../../domain/listener/reportQueue.js'
import type { ListenerDesk } from '../../ports/listener.js'
import type { Clock } from '../../ports/machine.js'

export class ReportDesk {
  readonly #desk: Pick<ListenerDesk, 'report'>
  readonly #clock: Clock
  readonly #onFailure: (thrown: unknown) => void
  readonly #queue = new ReportQueue()
  #isBusy = false
  #retry: unknown
  #isClosed = false
  #onIdle: (() => void) | undefined

  constructor(desk: Pick<ListenerDesk, 'report'>, clock: Clock, onFailure: (thrown: unknown) => void) {
    this.#desk = desk
    this.#clock = clock
    this.#onFailure = onFailure
  }

  add(report: AgentReport): void {
    if (this.#isClosed) return
    this.#queue.add(report)
    this.#next()
  }

  forget(id: number): void {
    this.#queue.forget(id)
  }

  /** Resolves when all is handed on, or after this long. */
  async settled(msMax: number): Promise<void> {
    if (this.#queue.size === 0 && !this.#isBusy) return
    await new Promise<void>((resolve) => {
      const timer = this.#clock.setTimeout(resolve, msMax)
      this.#onIdle = () => {
        this.#clock.clearTimeout(timer)
        resolve()
      }
    })
    this.#onIdle = undefined
  }

  close(): void {
    this.#isClosed = true
    this.#queue.clear()
    if (this.#retry !== undefined) this.#clock.clearTimeout(this.#retry)
    this.#retry = undefined
  }

  #next(): void {
    if (this.#isBusy || this.#retry !== undefined) return
    const batch = this.#queue.take(limits.agentReportsMax)
    if (batch.length === 0) {
      this.#onIdle?.()
      return
    }
    this.#isBusy = true
    this.#desk.report(batch).then(
      () => this.#done(),
      (thrown: unknown) => this.#failed(batch, thrown),
    )
  }

  #done(): void {
    this.#isBusy = false
    if (!this.#isClosed) this.#next()
  }

  #failed(batch: readonly AgentReport[], thrown: unknown): void {
    this.#isBusy = false
    if (this.#isClosed) return
    this.#queue.putBack(batch)
    this.#onFailure(thrown)
    this.#retry = this.#clock.setTimeout(() => {
      this.#retry = undefined
      this.#next()
    }, limits.agentDeskRetryMs)
  }
}
