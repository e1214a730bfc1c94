/**
 * Links to other nodes, as the actors need them: requests, notices and streams with one authenticated peer. The daemon plugs in `platform/` and `transport/`, the simulation its own; one suite (spec/compliance) holds both to the same behaviour.
 * Every port fails with a ClusterError.
 */

import type { ClusterError, Result } from '../base/errors.js'
import type { TrafficFigures, TrafficKind } from '../domain/cluster/nodeFigures.js'
import type { Hello, NoticeBody, NoticeName, ReplyBody, RequestBody, RequestName, Welcome } from '../wire/muster/messages.js'
import type { Endpoint, Listener } from './network.js'

export interface RequestOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
}

export type Handlers = { readonly [K in RequestName]?: (body: RequestBody<K>) => ReplyBody<K> | Promise<ReplyBody<K>> }
export type NoticeHandlers = { readonly [K in NoticeName]?: (body: NoticeBody<K>) => void }

export interface ServeOptions {
  /** Called for a handler that threw something unexpected (the peer only learns `internal`). */
  readonly onCrash?: (thrown: unknown, request: RequestName) => void
}

/** An authenticated, named conversation with one peer: requests, notices and streams over one byte stream. */
export interface Link {
  readonly peer: Peer
  request<K extends RequestName>(type: K, body: RequestBody<K>, options: RequestOptions): Promise<ReplyBody<K>>
  /** Queued and sent at the next flush; silently dropped when the link is closed. */
  notify<K extends NoticeName>(type: K, body: NoticeBody<K>): void
  /** Answers requests of these types until the returned function is called. A second handler of a type is a bug of ours. */
  serve(handlers: Handlers, options?: ServeOptions): () => void
  /** Receives notices of these types until the returned function is called. */
  subscribe(handlers: NoticeHandlers): () => void
  /**
   * A stream that the peer may send after a request names its id; its bytes are counted as this kind, or as control. It may make no
   * progress for this long, or as long as any other of the link.
   */
  expectStream(kind?: TrafficKind, idleMsMax?: number): IncomingStream
  /** The other end of a stream that the peer expects. Fails when the id is taken. */
  openStream(id: number, kind?: TrafficKind, idleMsMax?: number): OutgoingStream
  /** Says goodbye, sends what is queued, closes. */
  close(reason: 'stopping' | 'error', error?: ClusterError): void
  /** Calls back once when the link is closed, for whatever reason; at once when it already is. */
  onClosed(closed: (error: ClusterError) => void): void
  readonly counters: LinkCounters
}

/** Bytes of messages and streams, before the seal, but for those of the kind control. */
export type SortedBytes = Omit<TrafficFigures, 'control'>

export interface LinkCounters {
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Never more than the bytes of all kinds. */
  readonly sorted: { readonly sent: SortedBytes; readonly received: SortedBytes }
  readonly framesSent: number
  readonly framesReceived: number
  /** Requests and notices of types that this build does not know: the peer is newer. */
  readonly unknownMessages: number
}

export interface Peer {
  readonly node: string
  readonly type: 'master' | 'worker'
  /** Muster's. */
  readonly version: string
  /** The version of Wazuh that it serves; missing when the peer is of a build that does not say it. */
  readonly wazuh?: string
  readonly address: string
  readonly capabilities: readonly string[]
  readonly protocol: number
  /** Which of our own keys the peer proved. */
  readonly key: 'current' | 'previous'
  /** What it showed, where the link is over TLS. */
  readonly certificate?: PeerCertificate
}

export interface PeerCertificate {
  readonly name: string
  readonly endsMs: number
  /** Of the certificate that this node showed. */
  readonly ownEndsMs: number
}

/** Chunks as they were written, in order. Credit goes back to the sender as they are taken, so an idle reader costs one window. */
export interface IncomingStream extends AsyncIterable<Uint8Array> {
  readonly id: number
  cancel(error?: ClusterError): void
}

export interface OutgoingStream {
  /** Aborted, with the ClusterError, as soon as nobody reads any more: the stream was reset by either side, or the link is closed. */
  readonly signal: AbortSignal
  /** Resolves when the chunk is within the peer's window; at most limits.streamChunkBytesMax bytes. */
  write(chunk: Uint8Array): Promise<void>
  end(): void
  reset(error: ClusterError): void
}

export interface Refusal {
  readonly address: string
  readonly error: ClusterError
}

/** The listening side's say in who gets a link. */
export interface AdmissionPolicy {
  /** Decides on a peer that proved the key. Called in the same turn as `onLink`, so a name cannot be taken in between. */
  admit(hello: Hello, address: string): Result<Welcome>
  onLink(link: Link): void
  onRefusal(refusal: Refusal): void
}

export interface Transport {
  /** Fails with the refusal's own code when the master says no. */
  dial(endpoint: Endpoint, hello: Hello, signal: AbortSignal): Promise<Link>
  listen(endpoint: Endpoint, policy: AdmissionPolicy): Promise<Listener>
}
