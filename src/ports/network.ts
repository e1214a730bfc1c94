/**
 * The network, as the transport needs it: streams of bytes. The daemon plugs in `platform/` and `transport/`, the simulation its own; one suite (spec/compliance) holds both to the same behaviour.
 * Every port fails with a ClusterError.
 */

import type { ClusterError } from '../base/errors.js'

/** A reliable, ordered stream of bytes in both directions: a TCP connection, or its simulation. */
export interface ByteStream {
  readonly remoteAddress: string
  /** Takes the bytes over (they must not be changed afterwards). False: wait for `onDrain` before writing much more. */
  write(parts: readonly Uint8Array[]): boolean
  /** No more `onBytes` until `resume`: back-pressure to the peer. */
  pause(): void
  resume(): void
  /** Sends what is written, then closes. */
  end(): void
  /** Closes at once; what is not sent is lost. */
  destroy(): void
  /** Must be called once, in the same turn as the stream is handed out; nothing is delivered before. */
  attach(events: ByteStreamEvents): void
}

export interface ByteStreamEvents {
  /** The bytes are the receiver's to keep. */
  onBytes(bytes: Uint8Array): void
  onDrain(): void
  /** Once, and last. `error` when it was not a clean end. */
  onClosed(error?: Error): void
}

export interface Listener {
  readonly address: string
  readonly port: number
  close(): Promise<void>
}

export interface Endpoint {
  /** IPv4, IPv6 or a DNS name, resolved again at each dial. */
  readonly host: string
  readonly port: number
}

export interface Network {
  dial(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream>
  /** `onAcceptError` is called for connections that could not be accepted, for example because files ran out; the listener goes on. */
  listen(endpoint: Endpoint, onConnection: (stream: ByteStream) => void, onAcceptError?: (error: ClusterError) => void): Promise<Listener>
}
