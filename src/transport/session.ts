/**
 * The sealed conversation over one byte stream: what is queued in a turn leaves as one frame, control records before bulk,
 * and nothing is sealed while the stream does not drain. What the records mean is the link's matter.
 */
import { limits as defaultLimits } from '../base/limits.js'
import type { TrafficKind } from '../domain/cluster/nodeFigures.js'
import type { LinkCounters } from '../ports/link.js'
import type { Clock } from '../ports/machine.js'
import type { ByteStream } from '../ports/network.js'
import { FrameOpener, FrameSealer } from '../wire/muster/frames.js'
import type { TransportKeys } from '../wire/muster/noise.js'
import { chunkHeader } from '../wire/muster/records.js'
import { type FrameEvents, FrameReader } from './frameReader.js'
import type { NodeSending } from './nodeSending.js'
import { SortedTraffic } from './sortedTraffic.js'
import { StallWatch } from './stallWatch.js'
import { type RestingPeers, WorkShare } from './workShare.js'

/** The bounds that a session keeps; see limits.ts. Tests make them small. */
export type SessionLimits = Readonly<
  Record<
    | 'frameBytesMax'
    | 'helloBytesMax'
    | 'framesPerRekey'
    | 'recordsPerFrameMax'
    | 'bulkPerFrameBytesMax'
    | 'sendQueueBytesMax'
    | 'sendQueuesBytesMax'
    | 'sendStallMsMax'
    | 'peerWorkPercentMax'
    | 'peerWorkBurstMs'
    | 'peerWorkSliceMs'
    | 'lingerMsMax'
    | 'requestsInFlightMax'
    | 'requestsServedMax'
    | 'streamWindowBytes'
    | 'streamChunkBytesMax'
    | 'streamsMax'
    | 'streamIdleMsMax'
    | 'handshakeMsMax'
    | 'unauthenticatedConnectionsMax'
    | 'unauthenticatedPerAddressMax',
    number
  >
>

export const sessionLimits: SessionLimits = defaultLimits

export interface BulkPiece {
  /** Undefined for a record that must stay behind its stream's chunks. */
  readonly stream: number | undefined
  readonly kind: TrafficKind
  readonly bytes: Uint8Array
}

/** Where bulk comes from: asked when a frame has room, so that nothing is sealed ahead of time. */
export interface BulkSource {
  next(): BulkPiece | undefined
}

export interface SessionEvents extends FrameEvents {
  /** The peer has taken nothing of what was sent to it for limits.sendStallMsMax. */
  onStalled(): void
  /** Once, and last: the stream is gone. */
  onStreamClosed(error?: Error): void
}

const noBulk: BulkSource = { next: () => undefined }

export interface SessionOptions {
  readonly stream: ByteStream
  readonly clock: Clock
  readonly limits: SessionLimits
  readonly keys: TransportKeys
  readonly initiator: boolean
}

export class Session {
  readonly #stream: ByteStream
  readonly #clock: Clock
  readonly #limits: SessionLimits
  readonly #sealer: FrameSealer
  readonly #reader: FrameReader
  /** Waits while nothing that is queued can leave. */
  readonly #stall: StallWatch
  readonly #initiator: boolean
  readonly #counters = {
    bytesSent: 0,
    bytesReceived: 0,
    sorted: { sent: new SortedTraffic(), received: new SortedTraffic() },
    framesSent: 0,
    framesReceived: 0,
    unknownMessages: 0,
  }
  #events: SessionEvents | undefined
  #bulk: BulkSource = noBulk
  #control: Uint8Array[] = []
  /** Of what is queued, and of what left while more was: counted as sent once all has left. */
  readonly #queued = new SortedTraffic()
  #controlBytes = 0
  #flushScheduled = false
  #sending: NodeSending | undefined
  #state: 'open' | 'ending' | 'closed' = 'open'
  #linger: unknown
  readonly #flushAtEndOfTurn = (): void => {
    this.#flushScheduled = false
    if (this.#state === 'open') this.#flush()
  }

  constructor({ stream, clock, limits, keys, initiator }: SessionOptions) {
    this.#stream = stream
    this.#clock = clock
    this.#limits = limits
    this.#sealer = new FrameSealer(initiator ? keys.initiatorToResponder : keys.responderToInitiator, limits.framesPerRekey)
    this.#initiator = initiator
    this.#stall = new StallWatch(clock, limits.sendStallMsMax, () => this.#events?.onStalled())
    const opener = new FrameOpener(initiator ? keys.responderToInitiator : keys.initiatorToResponder, limits.framesPerRekey)
    // Until the peer is let in it may only say what fits into a hello or its answer.
    this.#reader = new FrameReader({ stream, clock, opener, frameBytesMax: limits.helloBytesMax, counters: this.#counters })
  }

  get counters(): LinkCounters {
    return this.#counters
  }

  get remoteAddress(): string {
    return this.#stream.remoteAddress
  }

  /** Control bytes that wait to be sealed. */
  get queuedBytes(): number {
    return this.#controlBytes
  }

  countReceived(kind: TrafficKind, bytes: number): void {
    this.#counters.sorted.received.add(kind, bytes)
  }

  countUnknownMessage(): void {
    this.#counters.unknownMessages++
  }

  hearWith(events: SessionEvents): void {
    this.#events = events
    this.#reader.hearWith(events)
  }

  /** The peer is in: frames of full size from here on, and bulk from `bulk`. */
  open(bulk: BulkSource, sending: NodeSending, resting: RestingPeers): void {
    // What a master sends is what its worker asked for.
    const share = this.#initiator ? undefined : new WorkShare(this.#clock, this.#limits, resting)
    this.#reader.open(this.#limits.frameBytesMax, share)
    this.#bulk = bulk
    this.#sending = sending
    sending.changed(this.#controlBytes)
  }

  /** Queues a control record; it leaves at the end of this turn, before any bulk. */
  queue(record: Uint8Array, kind: TrafficKind = 'control'): void {
    if (this.#state !== 'open') return
    this.#control.push(record)
    this.#queued.add(kind, record.byteLength)
    this.#count(record.byteLength)
    this.scheduleFlush()
  }

  /** Puts a record in the place of an earlier one that still waits. False when it has left. */
  replace(earlier: Uint8Array, record: Uint8Array, kind: TrafficKind): boolean {
    const at = this.#control.indexOf(earlier)
    if (at < 0) return false
    this.#control[at] = record
    this.#queued.add(kind, record.byteLength - earlier.byteLength)
    this.#count(record.byteLength - earlier.byteLength)
    return true
  }

  /** Also called when bulk has become ready. One microtask a turn gathers what the turn has said. */
  scheduleFlush(): void {
    if (this.#flushScheduled || this.#stall.isWaiting || this.#state !== 'open') return
    this.#flushScheduled = true
    queueMicrotask(this.#flushAtEndOfTurn)
  }

  onBytes(bytes: Uint8Array): void {
    this.#counters.bytesReceived += bytes.byteLength
    this.#reader.onBytes(bytes)
  }

  /** Reads nothing until `release`: the owner of the new link first registers its handlers. */
  hold(): void {
    this.#reader.hold()
  }

  release(): void {
    this.#reader.release()
  }

  /** Seals a record at once, as a frame of its own. */
  sendNow(record: Uint8Array): void {
    this.queue(record)
    if (this.#state === 'open') this.#flush()
  }

  onDrain(): void {
    this.#stall.moves()
    if (this.#state === 'open') this.#flush()
  }

  onStreamClosed(error?: Error): void {
    this.#state = 'closed'
    this.#reader.close()
    this.#forgetQueued()
    this.#stall.close()
    if (this.#linger !== undefined) this.#clock.clearTimeout(this.#linger)
    this.#linger = undefined
    this.#events?.onStreamClosed(error)
  }

  /** Seals the control records that are queued, closes our side, and gives the peer a moment to close its own. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    this.#reader.close()
    this.#stall.close()
    while (this.#control.length > 0) this.#write(this.#nextFrame(noBulk))
    this.#linger = this.#clock.setTimeout(() => {
      this.#linger = undefined
      this.#stream.destroy()
    }, this.#limits.lingerMsMax)
    this.#stream.end()
  }

  destroy(): void {
    if (this.#state === 'open') this.#state = 'ending'
    this.#reader.close()
    this.#stall.close()
    this.#forgetQueued()
    this.#stream.destroy()
  }

  #flush(): void {
    while (!this.#stall.isWaiting) {
      const frame = this.#nextFrame(this.#bulk)
      if (frame.plainBytes === 0) return
      if (!this.#write(frame)) this.#stall.waits()
    }
  }

  #forgetQueued(): void {
    this.#control = []
    this.#queued.clear()
    this.#count(-this.#controlBytes)
  }

  #count(bytes: number): void {
    this.#controlBytes += bytes
    this.#sending?.changed(bytes)
  }

  #write({ parts, plainBytes }: { readonly parts: readonly Uint8Array[]; readonly plainBytes: number }): boolean {
    const wire = this.#sealer.seal(parts, plainBytes)
    this.#counters.framesSent++
    for (const part of wire) this.#counters.bytesSent += part.byteLength
    return this.#stream.write(wire)
  }

  #nextFrame(bulk: BulkSource): { readonly parts: readonly Uint8Array[]; readonly plainBytes: number } {
    const { parts, plainBytes: controlBytes, records } = this.#takeControl()
    let plainBytes = controlBytes
    let bulkBytes = 0
    for (let at = records; at < this.#limits.recordsPerFrameMax && bulkBytes < this.#limits.bulkPerFrameBytesMax; at++) {
      if (plainBytes + bulkBytes + 2 * this.#limits.streamChunkBytesMax > this.#limits.frameBytesMax) break
      const piece = bulk.next()
      if (!piece) break
      if (piece.stream !== undefined) {
        const header = chunkHeader(piece.stream, piece.bytes.byteLength)
        parts.push(header)
        plainBytes += header.byteLength
        this.#counters.sorted.sent.add(piece.kind, piece.bytes.byteLength)
      }
      parts.push(piece.bytes)
      bulkBytes += piece.bytes.byteLength
    }
    plainBytes += bulkBytes
    return { parts, plainBytes }
  }

  /** As many control records as fit into a frame, as one part: many small ones are cheaper to seal copied together. */
  #takeControl(): { readonly parts: Uint8Array[]; readonly plainBytes: number; readonly records: number } {
    const queued = this.#control
    let records = 0
    let plainBytes = 0
    for (const record of queued) {
      if (
        records === this.#limits.recordsPerFrameMax ||
        (records > 0 && plainBytes + record.byteLength > this.#limits.bulkPerFrameBytesMax)
      )
        break
      records++
      plainBytes += record.byteLength
    }
    if (records === queued.length) {
      this.#control = []
      this.#counters.sorted.sent.take(this.#queued)
    } else this.#control = queued.slice(records)
    this.#count(-plainBytes)
    if (records <= 1) return { parts: records === queued.length ? queued : queued.slice(0, records), plainBytes, records }
    return { parts: [Buffer.concat(records === queued.length ? queued : queued.slice(0, records), plainBytes)], plainBytes, records }
  }
}
