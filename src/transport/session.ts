/**
 * The sealed conversation over one byte stream: what is queued in a turn leaves as one frame, control records before bulk,
 * and nothing is sealed while the stream does not drain. What the records mean is the link's matter.
 */
import { asClusterError, type ClusterError } from '../errors.js'
import { limits as defaultLimits } from '../limits.js'
import type { ByteStream, Clock, LinkCounters } from '../ports.js'
import { FrameGatherer, FrameOpener, FrameSealer } from '../protocol/frames.js'
import type { TransportKeys } from '../protocol/noise.js'
import { chunkHeader, type RecordVisitor, visitRecords } from '../protocol/records.js'

/** The bounds that a session keeps; see limits.ts. Tests make them small. */
export type SessionLimits = Readonly<
  Record<
    | 'frameBytesMax'
    | 'helloBytesMax'
    | 'framesPerRekey'
    | 'recordsPerFrameMax'
    | 'bulkPerFrameBytesMax'
    | 'sendQueueBytesMax'
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
  readonly bytes: Uint8Array
}

/** Where bulk comes from: asked when a frame has room, so that nothing is sealed ahead of time. */
export interface BulkSource {
  next(): BulkPiece | undefined
}

export interface SessionEvents extends RecordVisitor {
  /** The frame is done: everything that it said has been visited. */
  onFrame(): void
  /** The peer broke the rules. The session reads nothing more. */
  onViolation(error: ClusterError): void
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
  readonly #opener: FrameOpener
  readonly #gatherer: FrameGatherer
  readonly #counters = { bytesSent: 0, bytesReceived: 0, framesSent: 0, framesReceived: 0, unknownMessages: 0 }
  #events: SessionEvents | undefined
  #bulk: BulkSource = noBulk
  #control: Uint8Array[] = []
  #controlBytes = 0
  #flushScheduled = false
  #blocked = false
  #state: 'open' | 'ending' | 'closed' = 'open'
  #held = false
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
    this.#opener = new FrameOpener(initiator ? keys.responderToInitiator : keys.initiatorToResponder, limits.framesPerRekey)
    // Until the peer is let in it may only say what fits into a hello or its answer.
    this.#gatherer = new FrameGatherer(limits.helloBytesMax)
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

  countUnknownMessage(): void {
    this.#counters.unknownMessages++
  }

  hearWith(events: SessionEvents): void {
    this.#events = events
  }

  /** The peer is in: frames of full size from here on, and bulk from `bulk`. */
  open(bulk: BulkSource): void {
    this.#gatherer.plainBytesMax = this.#limits.frameBytesMax
    this.#bulk = bulk
  }

  /** Queues a control record; it leaves at the end of this turn, before any bulk. */
  queue(record: Uint8Array): void {
    if (this.#state !== 'open') return
    this.#control.push(record)
    this.#controlBytes += record.byteLength
    this.scheduleFlush()
  }

  /** Also called when bulk has become ready. One microtask a turn gathers what the turn has said. */
  scheduleFlush(): void {
    if (this.#flushScheduled || this.#blocked || this.#state !== 'open') return
    this.#flushScheduled = true
    queueMicrotask(this.#flushAtEndOfTurn)
  }

  onBytes(bytes: Uint8Array): void {
    this.#counters.bytesReceived += bytes.byteLength
    if (this.#state !== 'open') return
    this.#gatherer.append(bytes)
    this.#readFrames()
  }

  #readFrames(): void {
    while (this.#state === 'open' && !this.#held) {
      const gathered = this.#gatherer.next()
      if (!gathered.ok) {
        this.#violated(gathered.error)
        return
      }
      if (!gathered.value) return
      const opened = this.#opener.open(gathered.value)
      if (!opened.ok) {
        this.#violated(opened.error)
        return
      }
      this.#counters.framesReceived++
      this.#visit(opened.value)
    }
  }

  /** Reads nothing until `release`: whoever just got the link first says what it serves. */
  hold(): void {
    this.#held = true
    this.#stream.pause()
  }

  release(): void {
    if (!this.#held || this.#state !== 'open') return
    this.#held = false
    this.#stream.resume()
    this.#readFrames()
  }

  /** Seals a record at once, as a frame of its own. */
  sendNow(record: Uint8Array): void {
    this.queue(record)
    if (this.#state === 'open') this.#flush()
  }

  onDrain(): void {
    this.#blocked = false
    if (this.#state === 'open') this.#flush()
  }

  onStreamClosed(error?: Error): void {
    this.#state = 'closed'
    this.#control = []
    this.#controlBytes = 0
    if (this.#linger !== undefined) this.#clock.clearTimeout(this.#linger)
    this.#linger = undefined
    this.#events?.onStreamClosed(error)
  }

  /** Seals the control records that are queued, closes our side, and gives the peer a moment to close its own. */
  end(): void {
    if (this.#state !== 'open') return
    this.#state = 'ending'
    if (this.#held) this.#stream.resume()
    while (this.#control.length > 0) this.#write(this.#nextFrame(noBulk))
    this.#linger = this.#clock.setTimeout(() => {
      this.#linger = undefined
      this.#stream.destroy()
    }, this.#limits.lingerMsMax)
    this.#stream.end()
  }

  destroy(): void {
    if (this.#state === 'open') this.#state = 'ending'
    this.#stream.destroy()
  }

  #visit(frame: Buffer): void {
    const events = this.#events
    if (!events) return
    try {
      const visited = visitRecords(frame, events)
      if (visited.ok) events.onFrame()
      else this.#violated(visited.error)
    } catch (thrown) {
      // Nothing that a peer says may take the process down; a mistake of ours costs this link, and is told.
      this.#violated(asClusterError(thrown))
    }
  }

  #violated(error: ClusterError): void {
    this.#events?.onViolation(error)
  }

  #flush(): void {
    while (!this.#blocked) {
      const frame = this.#nextFrame(this.#bulk)
      if (frame.plainBytes === 0) return
      this.#blocked = !this.#write(frame)
    }
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
      if (records === this.#limits.recordsPerFrameMax || (records > 0 && plainBytes + record.byteLength > this.#limits.frameBytesMax)) break
      records++
      plainBytes += record.byteLength
    }
    if (records === queued.length) this.#control = []
    else this.#control = queued.slice(records)
    this.#controlBytes -= plainBytes
    if (records <= 1) return { parts: records === queued.length ? queued : queued.slice(0, records), plainBytes, records }
    return { parts: [Buffer.concat(records === queued.length ? queued : queued.slice(0, records), plainBytes)], plainBytes, records }
  }
}
