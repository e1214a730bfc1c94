/** What the listener says in its node's log. What agents cause is said within bounds, in Wazuh's words where it has them. */
import { counted } from '../../base/counted.js'
import { asClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'
import type { ListenerDesk } from '../../ports/listener.js'
import type { Clock, LogLevel } from '../../ports/machine.js'
import { LimitedLines } from '../kit/limitedLines.js'

export class ListenerLog {
  readonly #desk: Pick<ListenerDesk, 'log'>
  readonly #clock: Clock
  readonly #lines: LimitedLines
  /** When a line of this kind may be said again. */
  readonly #nextMs = new Map<string, number>()

  constructor(desk: Pick<ListenerDesk, 'log'>, clock: Clock) {
    this.#desk = desk
    this.#clock = clock
    this.#lines = new LimitedLines(clock, ({ addresses, count }) =>
      this.say('warning', `In the last minute ${counted(count, 'more message')} about agents from ${addresses} were not logged.`),
    )
  }

  say(level: LogLevel, message: string): void {
    // A node that cannot log is about to end.
    this.#desk.log(level, message).catch(() => {})
  }

  /** Caused by what came from this address. */
  ofPeer(address: string, kind: string, sentence: string, level: LogLevel = 'warning'): void {
    if (this.#lines.add({ address, kind, sentence })) this.say(level, sentence)
  }

  /** Something of ours that goes on failing: once a minute. */
  failure(kind: string, says: string, thrown: unknown): void {
    this.onceAMinute(kind, () => `${says}: ${fullStop(asClusterError(thrown).message)}`)
  }

  onceAMinute(kind: string, sentence: () => string): void {
    const nowMs = this.#clock.monotonicMs()
    if ((this.#nextMs.get(kind) ?? 0) > nowMs) return
    this.#nextMs.set(kind, nowMs + limits.refusalLogIntervalMs)
    this.say('warning', sentence())
  }

  close(): void {
    this.#lines.close()
  }
}
