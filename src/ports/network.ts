/**
 * The network, as the transport needs it: streams of bytes. The daemon plugs in `platform/` and `transport/`, the simulation its own; one suite (spec/compliance) holds both to the same behaviour.
 * Every port fails with a ClusterError.
 */

import type { ClusterError } from '../base/errors.js'
import type { CertificateProblem, ShownCertificate } from '../domain/cluster/nodeCertificate.js'

/** A reliable, ordered stream of bytes in both directions: a TCP connection, or its simulation. */
export interface ByteStream {
  readonly remoteAddress: string
  /** Of a stream over TLS between nodes, from its first bytes on; undefined: it is not over TLS. */
  readonly channel?: SecureChannel | undefined
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
  /** The peer closed its side in good order, and all that it sent is here. `onClosed` follows when our side is closed too. */
  onEnd?(): void
  /** Once, and last. `error` when it was not a clean end. */
  onClosed(error?: Error): void
}

/** TLS 1.3 under a stream, both ends of which were asked for their certificates. Whom to trust is up to who reads this. */
export interface SecureChannel {
  /** What the peer showed. */
  readonly certificate: ShownCertificate | undefined
  /** Undefined: an authority of ours vouches for it now. */
  readonly problem: CertificateProblem | undefined
  /** The same secret at both ends of this channel, and of no other: what is bound to it cannot be passed on over another one. */
  readonly binding: Uint8Array
  /** When the certificate ends that was shown to the peer. */
  readonly ownEndsMs: number
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

/** What a TLS server shows, and whom it lets in. PEM texts. */
export interface TlsServerOptions {
  readonly certificate: string
  readonly key: string
  /** Clients must show a certificate of one of these authorities. */
  readonly clientCa?: string
  /** As OpenSSL lists ciphers; those of TLS 1.2. */
  readonly ciphers?: string
  /** From the connection to the end of the handshake, the header of a proxy included; one that takes longer is ended. */
  readonly handshakeMsMax: number
  /** Peers (addresses or networks) whose connections begin with a header of the PROXY protocol, which says whose they are. */
  readonly proxies?: readonly string[]
  /**
   * Asked before a handshake begins; false closes the connection without a word and without a cost. Each handshake that is let in
   * ends in one call of `onConnection` or `onAcceptError`, unless the listener is closed before.
   */
  admits?(remoteAddress: string): boolean
}

/** What a TLS client shows, and whom it trusts. PEM texts. */
export interface TlsClientOptions {
  /** The server, whatever it is called, must show a certificate of one of these authorities; without them any will do, as agents do it. */
  readonly ca?: string
  readonly certificate?: string
  readonly key?: string
}

/** The bytes inside a TLS connection whose handshake is done. */
export interface TlsStream extends ByteStream {
  /** The names of the peer's certificate (common name, DNS names, addresses), when it showed one that was asked for. */
  readonly peerNames: readonly string[]
}

export interface DatagramSource {
  readonly address: string
  readonly port: number
}

/** A socket of datagrams: each arrives whole, or not at all; any may be lost, late or there twice. */
export interface DatagramSocket {
  readonly address: string
  readonly port: number
  /** Takes the bytes over. What cannot be sent is lost without a word, as on the way. */
  send(bytes: Uint8Array, to: DatagramSource): void
  close(): Promise<void>
}

/**
 * A network of nodes that have certificates is one too: its dials end in TLS, and fail with `dialFailed` (`isPlain` in the context where the
 * peer did not answer with TLS at all). Its listeners hand out every connection at once; one that begins with TLS is a stream over TLS
 * from its first bytes on, any other stays as it is. Handshakes that have begun are bounded.
 */
export interface Network {
  dial(endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream>
  /** `onAcceptError` is called for connections that could not be accepted, for example because files ran out; the listener goes on. */
  listen(endpoint: Endpoint, onConnection: (stream: ByteStream) => void, onAcceptError?: (error: ClusterError) => void): Promise<Listener>
}

/** What agents connect over: streams, TLS and datagrams. */
export interface AgentNetwork extends Network {
  /**
   * Resolves after the handshake; fails with `dialFailed`, `handshakeRefused`, `handshakeTimeout` or `configInvalid`. A server may refuse
   * the client's certificate only afterwards: the stream then closes.
   */
  dialTls(endpoint: Endpoint, tls: TlsClientOptions, signal: AbortSignal): Promise<TlsStream>
  /**
   * TLS 1.2 and 1.3. `onConnection` after each handshake that succeeds; `onAcceptError` also for those that fail, with code
   * `handshakeRefused` or `handshakeTimeout`. Closing ends handshakes that are under way. Fails with `listenFailed`, and with
   * `configInvalid` for certificates, keys and ciphers that cannot be used.
   */
  listenTls(
    endpoint: Endpoint,
    tls: TlsServerOptions,
    onConnection: (stream: TlsStream) => void,
    onAcceptError?: (error: ClusterError, remoteAddress: string) => void,
  ): Promise<Listener>
  /** Bound to an address and port; port 0 takes any that is free. The bytes of `onDatagram` are the receiver's to keep. Fails with `listenFailed`. */
  openDatagrams(endpoint: Endpoint, onDatagram: (bytes: Uint8Array, from: DatagramSource) => void): Promise<DatagramSocket>
}
