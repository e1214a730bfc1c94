/** Hands reports to the node: all that comes meanwhile goes together; what fails is tried again until something newer came. */
import { limits } from '../../base/limits.js'
import type { AgentReport } from '../../domain/agents/agentReport.js'
import { ReportQueue } from '../../domain/listener/reportQueue.js'
import type { ListenerDesk } from '../../ports/listener.js'
import type { Clock } from '../../ports/machine.js'
import { DeskCalls } from './deskCalls.js'

export class ReportDesk {
  readonly #clock: Clock
  readonly #queue = new ReportQueue()
  readonly #calls: DeskCalls<readonly AgentReport[], void>
  #onIdle: (() => void) | undefined

  constructor(desk: Pick<ListenerDesk, 'report'>, clock: Clock, onFailure: (thrown: unknown) => void) {
    this.#clock = clock
    this.#calls = new DeskCalls({
      clock,
      take: () => this.#take(),
      call: (batch) => desk.report(batch),
      onAnswer: () => {},
      onFailure: (batch, thrown) => {
        this.#queue.putBack(batch)
        onFailure(thrown)
      },
    })
  }

  add(report: AgentReport): void {
    if (this.#calls.isClosed) return
    this.#queue.add(report)
    this.#calls.wake()
  }

  forget(id: number): void {
    this.#queue.forget(id)
  }

  /** Resolves when all is handed on, or after this long. */
  async settled(msMax: number): Promise<void> {
    if (this.#queue.size === 0 && !this.#calls.isBusy) return
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
    this.#queue.clear()
    this.#calls.close()
  }

  #take(): readonly AgentReport[] | undefined {
    const batch = this.#queue.take(limits.agentReportsMax)
    if (batch.length > 0) return batch
    this.#onIdle?.()
    return undefined
  }
}
