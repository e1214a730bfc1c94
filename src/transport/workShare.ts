/**
 * How much of a node's time the records of one peer may take: a short burst at once, and a share of the time for long. Over it the
 * peer's bytes wait in its own socket, so that a flood of costly requests slows down only its sender.
 */
import type { Clock } from '../ports/machine.js'

export interface WorkLimits {
  /** Of the time, for long; 100 is no limit. */
  readonly peerWorkPercentMax: number
  readonly peerWorkBurstMs: number
  /** What a peer that has rested may take before it rests again. */
  readonly peerWorkSliceMs: number
}

/** Of one node: peers that rest share what one of them could have. */
export class RestingPeers {
  count = 0
}

export class WorkShare {
  readonly #clock: Pick<Clock, 'monotonicMs'>
  readonly #limits: WorkLimits
  readonly #resting: RestingPeers
  #leftMs: number
  #atMs: number
  #rests = false

  constructor(clock: Pick<Clock, 'monotonicMs'>, limits: WorkLimits, resting: RestingPeers) {
    this.#clock = clock
    this.#limits = limits
    this.#resting = resting
    this.#leftMs = limits.peerWorkBurstMs
    this.#atMs = clock.monotonicMs()
  }

  /** Work begins. */
  begin(): void {
    const nowMs = this.#clock.monotonicMs()
    const { peerWorkBurstMs, peerWorkPercentMax } = this.#limits
    this.#leftMs = Math.min(peerWorkBurstMs, this.#leftMs + ((nowMs - this.#atMs) * peerWorkPercentMax) / 100)
    this.#atMs = nowMs
  }

  /** Work that has begun took more than there was. */
  get isOver(): boolean {
    return this.#clock.monotonicMs() - this.#atMs > this.#leftMs
  }

  /** Work has ended. Returns how long to rest before the next, 0 when it may begin at once. */
  end(): number {
    const nowMs = this.#clock.monotonicMs()
    this.#leftMs -= nowMs - this.#atMs
    this.#atMs = nowMs
    const { peerWorkPercentMax, peerWorkSliceMs } = this.#limits
    if (this.#leftMs >= 0 || peerWorkPercentMax >= 100) return 0
    this.#rests = true
    this.#resting.count += 1
    return (peerWorkSliceMs - this.#leftMs) * ((this.#resting.count * 100) / peerWorkPercentMax - 1)
  }

  /** The rest is over, or the peer is gone. */
  rested(): void {
    if (!this.#rests) return
    this.#rests = false
    this.#resting.count -= 1
    this.#leftMs = this.#limits.peerWorkSliceMs
    this.#atMs = this.#clock.monotonicMs()
  }
}
