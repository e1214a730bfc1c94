/** A `Link` over a sealed session: requests, notices and streams of one peer that was let in, until one side closes. */

import { Deadlines } from '../base/deadlines.js'
import { ClusterError, ok, type Result } from '../base/errors.js'
import { invariant } from '../base/invariant.js'
import type { TrafficKind } from '../domain/cluster/nodeFigures.js'
import type {
  Handlers,
  IncomingStream,
  Link,
  LinkCounters,
  NoticeHandlers,
  OutgoingStream,
  Peer,
  RequestOptions,
  ServeOptions,
} from '../ports/link.js'
import type { Clock } from '../ports/machine.js'
import { decodeBody, encodeNotice, errorOfFailure, failureOf, isNoticeName, noticeTypeById, noticeTypeOf } from '../wire/muster/codec.js'
import { type NoticeBody, type NoticeName, type ReplyBody, type RequestBody, type RequestName, requests } from '../wire/muster/messages.js'
import { IncomingRequests } from './incomingRequests.js'
import { IncomingStreams } from './incomingStreams.js'
import type { NodeSending, QueueOwner } from './nodeSending.js'
import { OutgoingRequests } from './outgoingRequests.js'
import { OutgoingStreams } from './outgoingStreams.js'
import type { Session, SessionEvents, SessionLimits } from './session.js'
import type { RestingPeers } from './workShare.js'

export interface SessionLinkOptions {
  readonly session: Session
  readonly clock: Clock
  readonly limits: SessionLimits
  readonly peer: Peer
  readonly initiator: boolean
  readonly sending: NodeSending
  readonly resting: RestingPeers
}

/** Notices of how things are: a later one says all that an earlier one said. */
const stateNotices: ReadonlySet<NoticeName> = new Set(['integrity.changed', 'agentGroups.state', 'node.state'])

type Notified = (body: never) => void

export class SessionLink implements Link, SessionEvents, QueueOwner {
  readonly peer: Peer
  readonly #session: Session
  readonly #deadlines: Deadlines
  readonly #asked: OutgoingRequests
  readonly #served: IncomingRequests
  readonly #incoming: IncomingStreams
  readonly #outgoing: OutgoingStreams
  readonly #subscribers = new Map<NoticeName, Set<Notified>>()
  readonly #limits: SessionLimits
  readonly #sending: NodeSending
  /** The last record of each notice of how things are. */
  readonly #states = new Map<NoticeName, Uint8Array>()
  readonly #initiator: boolean
  #closers: ((error: ClusterError) => void)[] = []
  /** Why the link is closing or closed. */
  #error: ClusterError | undefined
  #reported = false

  constructor({ session, clock, limits, peer, initiator, sending, resting }: SessionLinkOptions) {
    this.peer = peer
    this.#session = session
    this.#initiator = initiator
    this.#deadlines = new Deadlines(clock)
    this.#limits = limits
    const deadlines = this.#deadlines
    const queue = (record: Uint8Array, kind: TrafficKind): void => this.#queue(record, kind)
    const countReceived = (kind: TrafficKind, bytes: number): void => session.countReceived(kind, bytes)
    this.#asked = new OutgoingRequests({
      deadlines,
      inFlightMax: limits.requestsInFlightMax,
      // The other half is for replies and notices, which cannot be refused.
      queuedBytesMax: limits.sendQueueBytesMax / 2,
      queuedBytes: () => session.queuedBytes,
      queue,
      countReceived,
    })
    const countUnknown = (): void => session.countUnknownMessage()
    this.#served = new IncomingRequests({ servedMax: limits.requestsServedMax, queue, countReceived, countUnknown })
    const sendReset = (stream: number, error: ClusterError): void => this.#send('stream.reset', { stream, error: failureOf(error) })
    const sendCredit = (stream: number, bytes: number): void => this.#send('stream.credit', { stream, bytes })
    this.#incoming = new IncomingStreams({ limits, deadlines, countReceived, sendCredit, sendReset }, initiator ? 1 : 2)
    this.#outgoing = new OutgoingStreams({
      limits,
      deadlines,
      scheduleFlush: () => session.scheduleFlush(),
      endRecord: (stream) => encodeNotice('stream.end', { stream }),
      sendReset,
    })
    session.hearWith(this)
    this.#sending = sending
    session.open(this.#outgoing, sending, resting)
    sending.enter(this)
  }

  get counters(): LinkCounters {
    return this.#session.counters
  }

  /** What is still open, for leak checks: all zero once the link is closed. */
  get pending(): { readonly asked: number; readonly incoming: number; readonly outgoing: number; readonly queuedBytes: number } {
    return { asked: this.#asked.size, incoming: this.#incoming.size, outgoing: this.#outgoing.size, queuedBytes: this.#session.queuedBytes }
  }

  request<K extends RequestName>(type: K, body: RequestBody<K>, options: RequestOptions): Promise<ReplyBody<K>> {
    return new Promise<ReplyBody<K>>((resolve, reject) => this.#asked.ask(type, body, options, { resolve, reject }))
  }

  notify<K extends NoticeName>(type: K, body: NoticeBody<K>): void {
    this.#send(type, body)
  }

  serve(handlers: Handlers, options?: ServeOptions): () => void {
    return this.#error ? () => {} : this.#served.serve(handlers, options)
  }

  subscribe(handlers: NoticeHandlers): () => void {
    const added: [NoticeName, Notified][] = []
    for (const name of Object.keys(handlers).filter(isNoticeName)) {
      const onNotice: Notified | undefined = handlers[name]
      if (!onNotice) continue
      const noticeHandlers = this.#subscribers.get(name) ?? new Set()
      this.#subscribers.set(name, noticeHandlers.add(onNotice))
      added.push([name, onNotice])
    }
    return () => {
      for (const [name, onNotice] of added) this.#subscribers.get(name)?.delete(onNotice)
    }
  }

  expectStream(kind?: TrafficKind, idleMsMax?: number): IncomingStream {
    return this.#incoming.expect(kind, idleMsMax)
  }

  openStream(id: number, kind?: TrafficKind, idleMsMax?: number): OutgoingStream {
    if (!this.#isPeersStream(id)) throw new ClusterError('malformed', { message: `Stream ${id} is not one that the peer may expect` })
    const opened = this.#outgoing.open(id, kind, idleMsMax)
    if (!opened.ok) throw opened.error
    return opened.value
  }

  close(reason: 'stopping' | 'error', error = new ClusterError('linkClosed')): void {
    if (this.#error) return
    const sent = reason === 'stopping' ? new ClusterError('peerStopping') : error
    this.#shutDown(error, { reason, error: failureOf(sent) })
    // A stopping node waits until its goodbye has left; a broken link is gone at once, so that its name is free again.
    if (reason === 'error') this.#report()
  }

  onClosed(closed: (error: ClusterError) => void): void {
    if (this.#reported && this.#error) closed(this.#error)
    else this.#closers.push(closed)
  }

  /** Holds back what the peer sends until this turn is over, so that the dialer can first register its handlers. */
  holdForThisTurn(): void {
    this.#session.hold()
    this.#deadlines.add(0, { due: () => this.#session.release() })
  }

  onRequest(id: number, type: number, frame: Buffer, from: number, to: number): boolean {
    if (type === requests['session.hello'].id)
      return this.#violated(new ClusterError('wrongState', { message: 'A hello came after the hello' }))
    this.#served.onRequest(id, type, frame, from, to)
    return this.#error === undefined
  }

  onReply(id: number, frame: Buffer, from: number, to: number): boolean {
    return this.#check(this.#asked.onReply(id, frame, from, to))
  }

  onErrorReply(id: number, frame: Buffer, from: number, to: number): boolean {
    return this.#check(this.#asked.onErrorReply(id, frame, from, to))
  }

  onChunk(stream: number, frame: Buffer, from: number, to: number): boolean {
    return this.#check(this.#incoming.chunk(stream, frame, from, to))
  }

  onNotice(typeId: number, frame: Buffer, from: number, to: number): boolean {
    const type = noticeTypeById(typeId)
    if (!type) {
      this.#session.countUnknownMessage()
      return true
    }
    this.#session.countReceived(type.traffic, to - from)
    const body = decodeBody(frame, from, to, type.isNotice)
    if (!body.ok) return this.#violated(new ClusterError(body.error.code, { message: `The notice ${type.name} has a wrong shape` }))
    // The table's check of this very type has said that it is such a notice.
    return this.#handleNotice(type.name, body.value as never)
  }

  onFrame(): void {}

  onViolation(error: ClusterError): void {
    this.#violated(error)
  }

  onStalled(): void {
    const seconds = this.#limits.sendStallMsMax / 1000
    this.drop(new ClusterError('overloaded', { message: `The peer has read nothing of what was sent to it for ${seconds} seconds` }))
  }

  get queuedBytes(): number {
    return this.#session.queuedBytes
  }

  /** Closes a link whose peer does not read: what waits for it is lost. */
  drop(error: ClusterError): void {
    this.#session.destroy()
    this.#shutDown(error)
    this.#report()
  }

  onStreamClosed(cause?: Error): void {
    const error = cause ? `The connection was lost: ${cause.message}` : 'The peer closed the connection without a goodbye'
    this.#shutDown(new ClusterError('linkLost', { message: error, cause }))
    this.#report()
  }

  #handleNotice<K extends NoticeName>(name: K, body: NoticeBody<K>): boolean {
    const own = this.#ownNotices[name]
    if (own) {
      const notified = own(body)
      if (!this.#check(notified)) return false
    }
    for (const onNotice of this.#subscribers.get(name) ?? []) onNotice(body as never)
    return this.#error === undefined
  }

  /** Notices that the link itself acts upon. */
  readonly #ownNotices: { readonly [K in NoticeName]?: (body: NoticeBody<K>) => Result<void> } = {
    'stream.credit': ({ stream, bytes }) => this.#outgoing.credit(stream, bytes),
    'stream.end': ({ stream }) => this.#incoming.ended(stream),
    'stream.reset': ({ stream, error }) => {
      const reset = errorOfFailure(error, 'transferFailed')
      if (this.#isPeersStream(stream)) this.#outgoing.cancelled(stream, reset)
      else this.#incoming.resetByPeer(stream, reset)
      return ok(undefined)
    },
    'session.goodbye': ({ reason, error }) => {
      this.#shutDown(reason === 'stopping' ? new ClusterError('peerStopping') : errorOfFailure(error, 'linkClosed'))
      this.#report()
      return ok(undefined)
    },
  }

  /** The initiator expects streams with odd ids, the responder with even ones: so each id says who reads it. */
  #isPeersStream(id: number): boolean {
    return id > 0 && (id % 2 === 1) !== this.#initiator
  }

  #check(result: Result<void>): boolean {
    return result.ok ? this.#error === undefined : this.#violated(result.error)
  }

  #violated(error: ClusterError): false {
    this.#shutDown(error, { reason: 'error', error: failureOf(error) })
    this.#report()
    return false
  }

  #send<K extends NoticeName>(name: K, body: NoticeBody<K>): void {
    if (this.#error) return
    const record = encodeNotice(name, body)
    const { traffic } = noticeTypeOf(name)
    const earlier = this.#states.get(name)
    if (stateNotices.has(name)) this.#states.set(name, record)
    if (earlier && this.#session.replace(earlier, record, traffic)) return
    this.#queue(record, traffic)
  }

  #queue(record: Uint8Array, kind: TrafficKind): void {
    if (this.#error) return
    if (this.#session.queuedBytes + record.byteLength > this.#limits.sendQueueBytesMax)
      this.drop(new ClusterError('overloaded', { message: 'Too many bytes are queued for the peer: it does not read what is sent to it' }))
    else this.#session.queue(record, kind)
  }

  #shutDown(error: ClusterError, goodbye?: NoticeBody<'session.goodbye'>): void {
    if (this.#error) return
    this.#error = error
    this.#sending.leave(this)
    if (goodbye) this.#session.queue(encodeNotice('session.goodbye', goodbye))
    this.#session.end()
    this.#asked.close(error)
    this.#served.close()
    this.#incoming.close(error)
    this.#outgoing.close(error)
    this.#subscribers.clear()
    this.#deadlines.clear()
  }

  #report(): void {
    if (this.#reported) return
    this.#reported = true
    invariant(this.#error !== undefined, 'a closed link has a reason')
    const closers = this.#closers
    this.#closers = []
    for (const closed of closers) closed(this.#error)
  }
}
