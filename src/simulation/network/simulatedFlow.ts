/**
 * One direction of a simulated connection: bytes wait at the sender, travel, and wait at the receiver until it takes them.
 * Order is kept, sizes are not: what arrives is split and joined at random, as TCP does.
 */

import type { SeededRandom } from '../world/seededRandom.js'
import { type Conditions, drawLatencyMs, type Passage, retransmissionMsMax } from './networkConditions.js'

/** `end` follows the last byte of a clean close; `reset` says that the connection is gone. */
type Item = Uint8Array | 'end' | 'reset'

interface Sent {
  readonly item: Item
  dueMs: number
}

/** The two ends, as the flow sees them. */
export interface FlowEnds {
  passage(): Passage
  /** False while the receiving application takes nothing. */
  canTake(): boolean
  take(bytes: Uint8Array): void
  takeEnd(): void
  takeReset(): void
  /** Something came for a receiver that is gone. */
  refuse(): void
  isReceiverGone(): boolean
  /** All that was written is on its way. */
  emptied(): void
  endSent(): void
}

/** With a limited bandwidth bytes travel in pieces of this time, so that a change of it is soon felt. */
const pieceMs = 50
const pieceBytesMin = 1_024

export class SimulatedFlow {
  readonly #conditions: Conditions
  readonly #random: SeededRandom
  readonly #ends: FlowEnds
  #waiting: Item[] = []
  #waitingBytes = 0
  #sent: Sent[] = []
  #sentBytes = 0
  #arrived: Item[] = []
  #arrivedBytes = 0
  #lineFreeMs = 0
  #pumpTimer: unknown
  #arrivalTimer: unknown
  #delivering = false

  constructor(conditions: Conditions, random: SeededRandom, ends: FlowEnds) {
    this.#conditions = conditions
    this.#random = random
    this.#ends = ends
  }

  /** Bytes that the sender still has to keep. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  get arrivedBytes(): number {
    return this.#arrivedBytes
  }

  /** Bytes under way or waiting at the receiver. */
  get travellingBytes(): number {
    return this.#sentBytes + this.#arrivedBytes
  }

  /** Timers of this flow that are set. */
  get events(): number {
    return (this.#pumpTimer === undefined ? 0 : 1) + (this.#arrivalTimer === undefined ? 0 : 1)
  }

  write(bytes: Uint8Array): void {
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
  }

  end(): void {
    this.#waiting.push('end')
  }

  /** Drops what the sender kept; the receiver learns of it after what is under way, unless the way is cut. */
  reset(): void {
    this.drop()
    if (this.#ends.passage() === 'cut') this.#forgetSent()
    else this.#send('reset', this.#latencyMs())
  }

  /** Drops what the sender kept; what is under way goes on. */
  drop(): void {
    this.#waiting = []
    this.#waitingBytes = 0
    this.#clearPump()
  }

  /** The receiver is gone, and with it what it had not taken. */
  discardArrived(): void {
    this.#arrived = []
    this.#arrivedBytes = 0
  }

  /** Nobody is interested any more. */
  stop(): void {
    this.drop()
    this.#forgetSent()
    this.discardArrived()
  }

  /** Sends what the line and the receiver's window allow. */
  pump(): void {
    const { clock, bytesPerSecond, windowBytes } = this.#conditions
    this.#clearPump()
    while (this.#waiting.length > 0) {
      const head = this.#waiting[0]
      if (head === undefined) break
      if (typeof head === 'string') {
        this.#waiting.shift()
        this.#send(head, this.#latencyMs())
        this.#ends.endSent()
        continue
      }
      if (this.travellingBytes >= windowBytes) return
      const lineFreeInMs = this.#lineFreeMs - clock.monotonicMs()
      if (lineFreeInMs > 0) {
        this.#pumpTimer = clock.setTimeout(() => this.pump(), lineFreeInMs)
        return
      }
      this.#sendPiece(head, bytesPerSecond)
    }
    this.#ends.emptied()
  }

  /** The passage between the two hosts changed. */
  passageChanged(): void {
    const passage = this.#ends.passage()
    this.#clearArrival()
    if (passage === 'cut' && this.#sent.at(-1)?.item === 'reset') this.#forgetSent()
    if (passage !== 'open' || this.#sent.length === 0) return
    const againMs = this.#conditions.clock.monotonicMs() + drawLatencyMs({ minMs: 0, maxMs: retransmissionMsMax }, this.#random.fraction())
    for (const sent of this.#sent) sent.dueMs = Math.max(sent.dueMs, againMs)
    this.#awaitArrival()
  }

  /** Hands the receiver what has arrived, as long as it takes it. */
  deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    try {
      while (this.#arrived.length > 0 && this.#ends.canTake()) {
        const item = this.#arrived.shift()
        if (item === undefined) break
        if (item === 'end') this.#ends.takeEnd()
        else if (item !== 'reset') {
          this.#arrivedBytes -= item.length
          this.#ends.take(item)
        }
      }
    } finally {
      this.#delivering = false
    }
    if (this.#waiting.length > 0) this.pump()
  }

  #latencyMs(): number {
    return drawLatencyMs(this.#conditions.latency, this.#random.fraction())
  }

  #sendPiece(head: Uint8Array, bytesPerSecond: number): void {
    const { clock, windowBytes } = this.#conditions
    const lineBytes = Math.max(pieceBytesMin, Math.floor((bytesPerSecond * pieceMs) / 1_000))
    const piece = head.subarray(0, Math.min(head.length, windowBytes - this.travellingBytes, lineBytes))
    if (piece.length === head.length) this.#waiting.shift()
    else this.#waiting[0] = head.subarray(piece.length)
    this.#waitingBytes -= piece.length
    const sendMs = Number.isFinite(bytesPerSecond) ? (piece.length / bytesPerSecond) * 1_000 : 0
    this.#lineFreeMs = clock.monotonicMs() + sendMs
    this.#send(piece, sendMs + this.#latencyMs())
  }

  #send(item: Item, delayMs: number): void {
    this.#sent.push({ item, dueMs: this.#conditions.clock.monotonicMs() + delayMs })
    if (typeof item !== 'string') this.#sentBytes += item.length
    if (this.#arrivalTimer === undefined && this.#ends.passage() === 'open') this.#awaitArrival()
  }

  /** One timer, for the first: what was sent later never overtakes it, whatever the latency did meanwhile. */
  #awaitArrival(): void {
    const head = this.#sent[0]
    if (head === undefined) return
    const { clock } = this.#conditions
    this.#arrivalTimer = clock.setTimeout(() => this.#arrive(), Math.max(0, head.dueMs - clock.monotonicMs()))
  }

  #arrive(): void {
    this.#arrivalTimer = undefined
    const nowMs = this.#conditions.clock.monotonicMs()
    let count = 0
    while ((this.#sent[count]?.dueMs ?? Number.POSITIVE_INFINITY) <= nowMs) count++
    const items = this.#sent.splice(0, count).map((sent) => sent.item)
    const bytes = items.filter((item) => typeof item !== 'string')
    const byteCount = bytes.reduce((sum, part) => sum + part.length, 0)
    this.#sentBytes -= byteCount
    this.#awaitArrival()
    if (items.includes('reset')) {
      this.stop()
      this.#ends.takeReset()
      return
    }
    if (this.#ends.isReceiverGone()) {
      this.#ends.refuse()
      this.pump()
      return
    }
    this.#arrivedBytes += byteCount
    for (const part of this.#segmented(bytes, byteCount)) this.#arrived.push(part)
    if (items.includes('end')) this.#arrived.push('end')
    this.deliver()
  }

  /** Fresh copies, mostly joined, sometimes cut where nobody expects it. */
  #segmented(parts: readonly Uint8Array[], byteCount: number): readonly Uint8Array[] {
    if (byteCount === 0) return []
    const whole = new Uint8Array(byteCount)
    let at = 0
    for (const part of parts) {
      whole.set(part, at)
      at += part.length
    }
    if (this.#random.fraction() >= this.#conditions.segmentedShare) return [whole]
    const cuts = Array.from({ length: this.#random.integer(1, 4) }, () => this.#random.integer(0, byteCount))
    // Near the start are headers, the best places to be cut.
    cuts.push(this.#random.integer(0, Math.min(byteCount, 8)))
    const places = [0, ...cuts.sort((a, b) => a - b), byteCount]
    return places.flatMap((place, i) => {
      const until = places[i + 1] ?? place
      return until > place ? [whole.slice(place, until)] : []
    })
  }

  #forgetSent(): void {
    this.#sent = []
    this.#sentBytes = 0
    this.#clearArrival()
  }

  #clearPump(): void {
    if (this.#pumpTimer !== undefined) this.#conditions.clock.clearTimeout(this.#pumpTimer)
    this.#pumpTimer = undefined
  }

  #clearArrival(): void {
    if (this.#arrivalTimer !== undefined) this.#conditions.clock.clearTimeout(this.#arrivalTimer)
    this.#arrivalTimer = undefined
  }
}
