/**
 * Hands events to the reader of `queue/sockets/queue`, if there is one, in the order in which they were taken. A slow reader is waited
 * for, but not for ever: every event is in a segment, so that one which takes nothing for a while misses some, and these are counted.
 */
import { GrowingBytes } from '../../base/growingBytes.js'
import { limits } from '../../base/limits.js'
import type { EventSource, LocalDatagrams } from '../../ports/listener.js'
import type { Clock } from '../../ports/machine.js'
import { datagramBytesMax, ReaderDatagrams } from '../../wire/agents/readerDatagram.js'

/** How often an event is tried on a reader that was not there. */
const absentMs = 1_000
const lengthBytes = 4
const keptBytes = 1024 * 1024

export class ReaderFeed {
  readonly #reader: LocalDatagrams
  readonly #clock: Clock
  readonly #datagrams = new ReaderDatagrams()
  /** Datagrams that wait, each behind its length; those before `#sentBytes` are gone already. */
  readonly #waiting = new GrowingBytes(datagramBytesMax)
  #sentBytes = 0
  #waitingCount = 0
  #missed = 0
  /** The last time that it took something, or had nothing to take. */
  #movedMs = 0
  #isStalled = false
  /** Nothing is gathered before this time. */
  #absentUntilMs = 0

  constructor(reader: LocalDatagrams, clock: Clock) {
    this.#reader = reader
    this.#clock = clock
  }

  /** Events that a reader that is there did not get, since the last call. */
  takeMissed(): number {
    const missed = this.#missed
    this.#missed = 0
    return missed
  }

  get isWaiting(): boolean {
    return this.#waitingCount > 0
  }

  /** So much waits that nothing more should be read from agents. */
  get isBehind(): boolean {
    return this.#waiting.length - this.#sentBytes > limits.eventsPendingForReaderBytesMax
  }

  take(source: EventSource, message: Uint8Array): void {
    if (this.#absentUntilMs > 0) {
      if (this.#clock.monotonicMs() < this.#absentUntilMs) return
      this.#absentUntilMs = 0
    }
    const waiting = this.#waiting
    if (waiting.length + datagramBytesMax > limits.eventsPendingBytesMax) {
      this.#missed++
      return
    }
    if (this.#waitingCount === 0) this.#movedMs = this.#clock.monotonicMs()
    const start = waiting.length
    waiting.reserve(lengthBytes)
    waiting.length += lengthBytes
    if (this.#datagrams.append(waiting, source, message)) {
      waiting.bytes.writeUInt32LE(waiting.length - start - lengthBytes, start)
      this.#waitingCount++
    } else waiting.length = start
  }

  /** As much as it takes at the moment. */
  send(): void {
    const { bytes, length } = this.#waiting
    const before = this.#waitingCount
    while (this.#sentBytes < length) {
      const start = this.#sentBytes + lengthBytes
      const end = start + bytes.readUInt32LE(this.#sentBytes)
      const outcome = this.#reader.send(bytes.subarray(start, end))
      if (outcome === 'absent') {
        this.#absentUntilMs = this.#clock.monotonicMs() + absentMs
        this.#isStalled = false
        this.#forget()
        return
      }
      if (outcome === 'full') {
        this.#wait(this.#waitingCount < before)
        return
      }
      this.#sentBytes = end
      this.#waitingCount--
    }
    if (before > 0) this.#isStalled = false
    this.#forget()
  }

  /** Those that still wait are counted as missed. */
  close(): void {
    this.send()
    this.#missed += this.#waitingCount
    this.#forget()
    this.#reader.close()
  }

  #wait(hasMoved: boolean): void {
    const nowMs = this.#clock.monotonicMs()
    if (hasMoved) this.#movedMs = nowMs
    if (nowMs - this.#movedMs >= limits.eventReaderStallMsMax) this.#isStalled = true
    if (this.#isStalled) {
      this.#missed += this.#waitingCount
      this.#forget()
    } else if (this.#sentBytes > this.#waiting.length / 2) {
      this.#waiting.drop(this.#sentBytes)
      this.#sentBytes = 0
    }
  }

  #forget(): void {
    this.#waiting.length = 0
    this.#waiting.shrink(keptBytes)
    this.#sentBytes = 0
    this.#waitingCount = 0
  }
}
