/** The streams that this side of a link expects: what the peer may send, and what the reader has taken. */

import type { Deadline, Deadlines, Due } from '../base/deadlines.js'
import { ClusterError, ok, type Result, refuse } from '../base/errors.js'
import { invariant } from '../base/invariant.js'
import type { TrafficKind } from '../domain/cluster/nodeFigures.js'
import type { IncomingStream } from '../ports/link.js'
import { ReceiveWindow } from '../wire/muster/streamWindows.js'
import type { SessionLimits } from './session.js'

export interface ReceiverNotices {
  readonly limits: SessionLimits
  readonly deadlines: Deadlines
  countReceived(kind: TrafficKind, bytes: number): void
  sendCredit(stream: number, bytes: number): void
  sendReset(stream: number, error: ClusterError): void
}

const cancelledMax = 256
const done: IteratorReturnResult<undefined> = { done: true, value: undefined }

interface Reader {
  resolve(result: IteratorResult<Uint8Array, undefined>): void
  reject(error: ClusterError): void
}

class ReceivingStream implements IncomingStream, Due {
  readonly id: number
  readonly kind: TrafficKind
  readonly window: ReceiveWindow
  readonly deadline: Deadline
  readonly #streams: IncomingStreams
  #chunks: Uint8Array[] = []
  #reader: Reader | undefined
  #ended = false
  #failure: ClusterError | undefined

  constructor(id: number, kind: TrafficKind, streams: IncomingStreams, notices: ReceiverNotices, idleMsMax?: number) {
    this.id = id
    this.kind = kind
    this.#streams = streams
    this.window = new ReceiveWindow(notices.limits.streamWindowBytes)
    this.deadline = notices.deadlines.add(idleMsMax ?? notices.limits.streamIdleMsMax, this)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.cancel()
        return Promise.resolve(done)
      },
    }
  }

  cancel(error = new ClusterError('aborted', { message: 'The reader of a stream stopped' })): void {
    if (this.#failure || (this.#ended && this.#chunks.length === 0)) return
    if (!this.#ended) this.#streams.cancel(this, error)
    this.fail(error)
  }

  due(): void {
    this.cancel(new ClusterError('transferFailed', { message: 'A stream made no progress for too long' }))
  }

  push(chunk: Uint8Array): void {
    if (!this.#reader) {
      this.#chunks.push(chunk)
      return
    }
    const reader = this.#reader
    this.#reader = undefined
    this.#streams.taken(this, chunk.byteLength)
    reader.resolve({ done: false, value: chunk })
  }

  finish(): void {
    this.#ended = true
    this.#reader?.resolve(done)
    this.#reader = undefined
  }

  fail(error: ClusterError): void {
    if (this.#failure) return
    this.#failure = error
    this.#chunks = []
    this.#reader?.reject(error)
    this.#reader = undefined
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#failure) return Promise.reject(this.#failure)
    const chunk = this.#chunks.shift()
    if (chunk) {
      if (!this.#ended) this.#streams.taken(this, chunk.byteLength)
      return Promise.resolve({ done: false, value: chunk })
    }
    if (this.#ended) return Promise.resolve(done)
    invariant(this.#reader === undefined, 'a stream has one reader')
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject }
    })
  }
}

export class IncomingStreams {
  readonly #notices: ReceiverNotices
  readonly #streams = new Map<number, ReceivingStream>()
  /** What the peer may still send without knowing; the oldest are forgotten. */
  readonly #cancelled = new Set<number>()
  #nextId: number
  #closed: ClusterError | undefined

  /** Ids go up by two from `firstId`, so that the two sides never give out the same one. */
  constructor(notices: ReceiverNotices, firstId: number) {
    this.#notices = notices
    this.#nextId = firstId
  }

  get size(): number {
    return this.#streams.size
  }

  /** Throws `overloaded`, or the link's own error when it is closed. */
  expect(kind: TrafficKind = 'control', idleMsMax?: number): IncomingStream {
    if (this.#closed) throw this.#closed
    if (this.#streams.size >= this.#notices.limits.streamsMax)
      throw new ClusterError('overloaded', { message: 'Too many streams are expected' })
    const id = this.#nextId
    this.#nextId += 2
    invariant(this.#nextId < 2 ** 32, 'stream ids do not run out in the life of a link')
    const stream = new ReceivingStream(id, kind, this, this.#notices, idleMsMax)
    this.#streams.set(id, stream)
    return stream
  }

  /** A chunk that aliases `frame`; a small part of a large frame is copied, so that it does not keep the rest alive. */
  chunk(id: number, frame: Buffer, from: number, to: number): Result<void> {
    const stream = this.#streams.get(id)
    if (!stream)
      return this.#cancelled.has(id)
        ? ok(undefined)
        : refuse('malformed', { message: `A chunk came for stream ${id}, which is not expected` })
    const chunkBytes = to - from
    if (chunkBytes === 0) return refuse('malformed', { message: 'An empty chunk came' })
    if (chunkBytes > this.#notices.limits.streamChunkBytesMax)
      return refuse('tooLarge', { message: `A chunk of ${chunkBytes} bytes is over the limit` })
    const received = stream.window.receive(chunkBytes)
    if (!received.ok) return received
    this.#notices.countReceived(stream.kind, chunkBytes)
    this.#notices.deadlines.putOff(stream.deadline)
    const slice = frame.subarray(from, to)
    stream.push(2 * chunkBytes < frame.byteLength ? Buffer.from(slice) : slice)
    return received
  }

  ended(id: number): Result<void> {
    const stream = this.#streams.get(id)
    if (!stream)
      return this.#cancelled.delete(id)
        ? ok(undefined)
        : refuse('malformed', { message: `The end came of stream ${id}, which is not expected` })
    this.#forget(stream)
    stream.finish()
    return ok(undefined)
  }

  resetByPeer(id: number, error: ClusterError): void {
    this.#cancelled.delete(id)
    const stream = this.#streams.get(id)
    if (!stream) return
    this.#forget(stream)
    stream.fail(error)
  }

  close(error: ClusterError): void {
    this.#closed = error
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    this.#cancelled.clear()
    for (const stream of streams) stream.fail(error)
  }

  taken(stream: ReceivingStream, chunkBytes: number): void {
    if (!this.#streams.has(stream.id)) return
    this.#notices.deadlines.putOff(stream.deadline)
    const credit = stream.window.take(chunkBytes)
    if (credit > 0) this.#notices.sendCredit(stream.id, credit)
  }

  cancel(stream: ReceivingStream, error: ClusterError): void {
    if (!this.#streams.has(stream.id)) return
    this.#forget(stream)
    this.#cancelled.add(stream.id)
    for (const oldest of this.#cancelled) {
      if (this.#cancelled.size <= cancelledMax) break
      this.#cancelled.delete(oldest)
    }
    this.#notices.sendReset(stream.id, error)
  }

  #forget(stream: ReceivingStream): void {
    this.#notices.deadlines.remove(stream.deadline)
    this.#streams.delete(stream.id)
  }
}
