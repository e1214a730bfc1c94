/** What the simulated network is like at the moment, and which pairs of its hosts reach each other. */
import type { VirtualClock } from '../world/virtualClock.js'

export interface LatencyRange {
  readonly minMs: number
  readonly maxMs: number
}

/**
 * `cut`: nothing arrives; what TCP would send again arrives after the repair, resets never do.
 * `held`: nothing arrives before the release, then everything does.
 */
export type Passage = 'open' | 'held' | 'cut'

/** Shares of the datagrams, from 0 to 1. */
export interface DatagramFaults {
  readonly lostShare: number
  readonly doubledShare: number
  /** Those that take so much longer that others overtake them. */
  readonly lateShare: number
}

export const noDatagramFaults: DatagramFaults = { lostShare: 0, doubledShare: 0, lateShare: 0 }

export interface Conditions {
  readonly clock: VirtualClock
  /** One way. */
  latency: LatencyRange
  bytesPerSecond: number
  /** Share of the arrivals, from 0 to 1, whose bytes are split or joined differently. */
  segmentedShare: number
  /** Bytes of one direction that can be under way or wait at the receiver before the sender has to keep them. */
  windowBytes: number
  readonly connectMsMax: number
  datagramFaults: DatagramFaults
}

/** What a node, or the whole network, still has open; all zero after a stop. */
export interface NetworkCounters {
  readonly connections: number
  readonly listeners: number
  readonly dials: number
  readonly datagramSockets: number
  /** Timers on the virtual clock. */
  readonly pendingEvents: number
}

export const defaultLatency: LatencyRange = { minMs: 0.25, maxMs: 2 }

/** Sixteenths of a millisecond: exact in binary, so that sums do not drift, and coarse enough for arrivals to meet in one event. */
export const drawLatencyMs = ({ minMs, maxMs }: LatencyRange, fraction: number): number =>
  Math.round((minMs + fraction * (maxMs - minMs)) * 16) / 16

/** After a repair TCP sends again when its backed-off timer says so. */
export const retransmissionMsMax = 400

/** Counts per unordered pair of names: a pair cut twice needs two repairs. */
export class PairCounts {
  readonly #counts = new Map<string, number>()

  has(a: string, b: string): boolean {
    return this.#counts.size > 0 && this.#counts.has(pairKey(a, b))
  }

  add(a: string, b: string): void {
    const key = pairKey(a, b)
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1)
  }

  remove(a: string, b: string): void {
    const key = pairKey(a, b)
    const count = this.#counts.get(key) ?? 0
    if (count > 1) this.#counts.set(key, count - 1)
    else this.#counts.delete(key)
  }

  clear(): void {
    this.#counts.clear()
  }
}

const pairKey = (a: string, b: string): string => (a < b ? `${a}\n${b}` : `${b}\n${a}`)
