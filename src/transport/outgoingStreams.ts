/** The streams that this side of a link sends: their credit, their queues, and the turns that they take. */

import type { Deadline, Deadlines, Due } from '../base/deadlines.js'
import { ClusterError, type Result, refuse } from '../base/errors.js'
import type { TrafficKind } from '../domain/cluster/nodeFigures.js'
import type { OutgoingStream } from '../ports/link.js'
import { chunkCost, SendWindow } from '../wire/muster/streamWindows.js'
import type { BulkPiece, BulkSource, SessionLimits } from './session.js'

export interface StreamNotices {
  readonly limits: SessionLimits
  readonly deadlines: Deadlines
  /** Bulk has become ready. */
  scheduleFlush(): void
  endRecord(stream: number): Uint8Array
  sendReset(stream: number, error: ClusterError): void
}

interface QueuedChunk {
  readonly bytes: Uint8Array
  /** The writer that still waits; undefined once the chunk was promised to leave. */
  readonly waiter: { resolve(): void; reject(error: ClusterError): void } | undefined
}

/** Chunks that lie ready per stream, so that a slow source and a fast wire do not take turns in waiting. */
const readyChunksMax = 2
const earlyResetsMax = 256

class SendingStream implements OutgoingStream, Due {
  readonly id: number
  readonly kind: TrafficKind
  readonly window: SendWindow
  readonly #streams: OutgoingStreams
  readonly #queue: QueuedChunk[] = []
  readonly deadline: Deadline
  readonly #abort = new AbortController()
  #queuedCost = 0
  #ended = false
  #endSent = false
  #failure: ClusterError | undefined

  constructor(id: number, kind: TrafficKind, streams: OutgoingStreams, notices: StreamNotices, idleMsMax?: number) {
    this.id = id
    this.kind = kind
    this.#streams = streams
    this.window = new SendWindow(notices.limits.streamWindowBytes)
    this.deadline = notices.deadlines.add(idleMsMax ?? notices.limits.streamIdleMsMax, this)
  }

  get signal(): AbortSignal {
    return this.#abort.signal
  }

  write(chunk: Uint8Array): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure)
    if (this.#ended) return Promise.reject(new ClusterError('wrongState', { message: 'A chunk was written after the end of its stream' }))
    if (chunk.byteLength > this.#streams.chunkBytesMax)
      return Promise.reject(new ClusterError('tooLarge', { message: `A chunk of ${chunk.byteLength} bytes is over the limit` }))
    // An empty chunk says nothing, and costs the receiver something.
    if (chunk.byteLength === 0) return Promise.resolve()
    if (this.#queuedCost > this.#streams.windowBytes)
      return Promise.reject(new ClusterError('overloaded', { message: 'A chunk was written without waiting for the previous ones' }))
    this.#queuedCost += chunkCost(chunk.byteLength)
    if (this.#queue.length < readyChunksMax && this.#queuedCost <= this.window.credit) {
      this.#queue.push({ bytes: chunk, waiter: undefined })
      this.#streams.markReady(this)
      return Promise.resolve()
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ bytes: chunk, waiter: { resolve, reject } })
      this.#streams.markReady(this)
    })
  }

  end(): void {
    if (this.#ended || this.#failure) return
    this.#ended = true
    this.#streams.markReady(this)
  }

  reset(error: ClusterError): void {
    if (this.#failure || this.#endSent) return
    this.#streams.forget(this)
    this.#streams.sendReset(this.id, error)
    this.fail(error)
  }

  due(): void {
    this.reset(new ClusterError('transferFailed', { message: 'A stream made no progress for too long' }))
  }

  get isReady(): boolean {
    const first = this.#queue[0]
    return first ? this.window.allows(first.bytes.byteLength) : this.#ended && !this.#endSent
  }

  /** Only when it is ready. */
  take(): BulkPiece {
    const first = this.#queue.shift()
    if (!first) {
      this.#endSent = true
      this.#streams.forget(this)
      return { stream: undefined, kind: 'control', bytes: this.#streams.endRecord(this.id) }
    }
    this.#queuedCost -= chunkCost(first.bytes.byteLength)
    this.window.spend(first.bytes.byteLength)
    first.waiter?.resolve()
    return { stream: this.id, kind: this.kind, bytes: first.bytes }
  }

  fail(error: ClusterError): void {
    this.#failure ??= error
    this.#abort.abort(this.#failure)
    for (const { waiter } of this.#queue.splice(0)) waiter?.reject(error)
  }
}

export class OutgoingStreams implements BulkSource {
  readonly #notices: StreamNotices
  readonly #streams = new Map<number, SendingStream>()
  readonly #ready = new Set<SendingStream>()
  /** Cancelled by the receiver before we opened them; the oldest are forgotten. */
  readonly #earlyResets = new Map<number, ClusterError>()
  #closed: ClusterError | undefined

  constructor(notices: StreamNotices) {
    this.#notices = notices
  }

  get size(): number {
    return this.#streams.size
  }

  get windowBytes(): number {
    return this.#notices.limits.streamWindowBytes
  }

  get chunkBytesMax(): number {
    return this.#notices.limits.streamChunkBytesMax
  }

  open(id: number, kind: TrafficKind = 'control', idleMsMax?: number): Result<OutgoingStream> {
    if (this.#closed) return { ok: false, error: this.#closed }
    if (this.#streams.has(id)) return refuse('wrongState', { message: `Stream ${id} is taken` })
    if (this.#streams.size >= this.#notices.limits.streamsMax) return refuse('overloaded', { message: 'Too many streams are open' })
    const stream = new SendingStream(id, kind, this, this.#notices, idleMsMax)
    const early = this.#earlyResets.get(id)
    if (early) {
      this.#earlyResets.delete(id)
      this.#notices.deadlines.remove(stream.deadline)
      stream.fail(early)
    } else this.#streams.set(id, stream)
    return { ok: true, value: stream }
  }

  /** One piece of the stream whose turn it is; a stream that has more goes to the end of the line. */
  next(): BulkPiece | undefined {
    for (const stream of this.#ready) {
      this.#ready.delete(stream)
      if (!stream.isReady) continue
      const piece = stream.take()
      if (piece.stream !== undefined) this.#notices.deadlines.putOff(stream.deadline)
      if (stream.isReady) this.#ready.add(stream)
      return piece
    }
    return undefined
  }

  /** Credit for a stream that is over already is late, not wrong. */
  credit(id: number, bytes: number): Result<void> {
    const stream = this.#streams.get(id)
    if (!stream) return { ok: true, value: undefined }
    const refilled = stream.window.refill(bytes)
    if (refilled.ok) {
      this.#notices.deadlines.putOff(stream.deadline)
      this.markReady(stream)
    }
    return refilled
  }

  cancelled(id: number, error: ClusterError): void {
    const stream = this.#streams.get(id)
    if (stream) {
      this.forget(stream)
      stream.fail(error)
      return
    }
    this.#earlyResets.set(id, error)
    for (const oldest of this.#earlyResets.keys()) {
      if (this.#earlyResets.size <= earlyResetsMax) break
      this.#earlyResets.delete(oldest)
    }
  }

  close(error: ClusterError): void {
    this.#closed = error
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    this.#ready.clear()
    this.#earlyResets.clear()
    for (const stream of streams) stream.fail(error)
  }

  markReady(stream: SendingStream): void {
    if (!stream.isReady || this.#ready.has(stream)) return
    this.#ready.add(stream)
    this.#notices.scheduleFlush()
  }

  forget(stream: SendingStream): void {
    this.#notices.deadlines.remove(stream.deadline)
    this.#streams.delete(stream.id)
    this.#ready.delete(stream)
  }

  endRecord(id: number): Uint8Array {
    return this.#notices.endRecord(id)
  }

  sendReset(id: number, error: ClusterError): void {
    this.#notices.sendReset(id, error)
  }
}
