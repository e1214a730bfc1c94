/**
 * The network between nodes that have certificates: TCP, and TLS over it. A connection that comes in is handed out at once, so that it has
 * its place among those that wait to be let in; its handshake begins when its first record is whole, and in its turn.
 */
import { constants } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { connect, createServer as createTlsServer, type SecureContextOptions, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { asClusterError, ClusterError, ok, type Result } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { addressPrefix } from '../../domain/cluster/addressPrefix.js'
import type { CertificateProblem } from '../../domain/cluster/nodeCertificate.js'
import type { ByteStream, ByteStreamEvents, Endpoint, Listener, Network, SecureChannel } from '../../ports/network.js'
import { realClock } from '../machine/realClock.js'
import { shownCertificate } from './certificateNames.js'
import { type ComingHandshake, type HandshakeBounds, HandshakeTurns } from './handshakeTurns.js'
import type { NodeCertificateFiles } from './nodeCertificateFiles.js'
import { tcpByteStream } from './tcpByteStream.js'
import { dialSocket, plainAddress, shownEndpoint, startServer } from './tcpSocket.js'
import { awaitHello } from './tlsArrival.js'
import { handshakeDone } from './tlsDial.js'
import { peerKey, tlsReason } from './tlsServer.js'

/** Both ends of a handshake have it (RFC 9266). */
const bindingLabel = 'EXPORTER-Channel-Binding'
const bindingBytes = 32

/** Of OpenSSL's reasons; any other is a certificate that is not trusted. */
const problems: Readonly<Record<string, CertificateProblem>> = { CERT_HAS_EXPIRED: 'expired', CERT_NOT_YET_VALID: 'early' }

/** `authorizationError` is a code, whatever the types say. */
const problemOf = ({ authorizationError }: TLSSocket): CertificateProblem => problems[String(authorizationError)] ?? 'untrusted'

const channelOf = (socket: TLSSocket, ownEndsMs: number): SecureChannel => {
  const certificate = shownCertificate(socket.getPeerCertificate())
  return {
    certificate,
    problem: certificate === undefined ? 'missing' : socket.authorized ? undefined : problemOf(socket),
    binding: socket.exportKeyingMaterial(bindingBytes, bindingLabel, Buffer.alloc(0)),
    ownEndsMs,
  }
}

/** Of a certificate that is not verified yet: whatever it holds must not cause a crash. */
const readChannel = (socket: TLSSocket, ownEndsMs: number): Result<SecureChannel> => {
  try {
    return ok(channelOf(socket, ownEndsMs))
  } catch (thrown) {
    return { ok: false, error: asClusterError(thrown, 'handshakeRefused') }
  }
}

/** In a resumed session the certificates would not be checked. */
const noTickets = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

const withoutTickets = (context: SecureContextOptions): SecureContextOptions => ({ ...context, secureOptions: noTickets })

/** A connection that came in: silent, then over TLS or as it is. */
class ComingStream implements ByteStream, ComingHandshake {
  readonly remoteAddress: string
  channel: SecureChannel | undefined
  /** When the certificate ends that it is shown. */
  ownEndsMs = 0
  readonly #socket: Socket
  readonly #left: (stream: ComingStream) => void
  readonly #begin: (stream: ComingStream) => void
  /** Once it is known what is spoken over it. */
  #stream: ByteStream | undefined
  #events: ByteStreamEvents | undefined
  /** Until then what is asked of it waits. */
  readonly #early: ((stream: ByteStream) => void)[] = []
  #isOver = false
  #failure: Error | undefined

  constructor(socket: Socket, begin: (stream: ComingStream) => void, left: (stream: ComingStream) => void) {
    this.#socket = socket
    this.#begin = begin
    this.#left = left
    this.remoteAddress = plainAddress(socket.remoteAddress ?? 'unknown')
    socket.on('error', (error) => {
      this.#failure ??= error
    })
    socket.on('close', () => this.#over(this.#failure))
  }

  get socket(): Socket {
    return this.#socket
  }

  attach(events: ByteStreamEvents): void {
    this.#events = events
    if (this.#isOver) {
      queueMicrotask(() => events.onClosed(this.#failure))
      return
    }
    awaitHello(this.#socket, false, (arrival) => {
      if (arrival.kind === 'hello') this.#begin(this)
      else if (arrival.kind === 'other') this.#becomes(tcpByteStream(this.#socket, this.remoteAddress))
      // It closed its side without a word: so is ours.
      else this.#socket.end()
    })
  }

  secured(stream: ByteStream, channel: SecureChannel): void {
    this.channel = channel
    this.#becomes(stream)
  }

  /** The handshake came to nothing. */
  fail(error: ClusterError): void {
    this.#over(error)
    this.#socket.destroy()
  }

  giveWay(reason: 'crowded' | 'slow'): void {
    const message = reason === 'slow' ? 'Its TLS handshake was slow, and others waited' : 'Too many TLS handshakes had not ended'
    this.fail(new ClusterError('handshakeRefused', { message }))
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#stream) return this.#stream.write(parts)
    this.#early.push((stream) => stream.write(parts))
    return true
  }

  pause(): void {
    this.#do((stream) => stream.pause())
  }

  resume(): void {
    this.#do((stream) => stream.resume())
  }

  end(): void {
    this.#do((stream) => stream.end())
  }

  destroy(): void {
    if (this.#stream) this.#stream.destroy()
    else {
      this.#left(this)
      this.#socket.destroy()
    }
  }

  /** From here on the stream under it says what happens. */
  #becomes(stream: ByteStream): void {
    this.#left(this)
    this.#stream = stream
    this.#isOver = true
    if (this.#events) stream.attach(this.#events)
    // A socket whose first bytes were put back stands still until then.
    stream.resume()
    for (const act of this.#early.splice(0)) act(stream)
  }

  #do(act: (stream: ByteStream) => void): void {
    if (this.#stream) act(this.#stream)
    else this.#early.push(act)
  }

  #over(failure: Error | undefined): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#failure = failure
    this.#left(this)
    this.#events?.onClosed(failure)
  }
}

const bounds: HandshakeBounds = {
  // As many as may wait to be let in, so that each of them has a place here.
  handshakesMax: limits.unauthenticatedConnectionsMax,
  begunMax: limits.tlsHandshakesBegunMax,
  contestedMsMax: limits.tlsHandshakeContestedMsMax,
  begunMsMax: limits.handshakeMsMax,
  pace: { burst: limits.nodeHandshakesBurst, perSecond: limits.nodeHandshakesPerSecond },
}

class NodeListener {
  readonly #certificates: NodeCertificateFiles
  readonly #tls: TlsServer
  #context: SecureContextOptions
  /** Whose handshakes have begun, by their peers. */
  readonly #begun = new Map<string, ComingStream>()
  /** Prefixes of addresses that showed a certificate that is trusted, the one that did it longest ago first: no flood of hellos keeps them waiting. */
  readonly #known = new Set<string>()
  readonly #turns = new HandshakeTurns(realClock, bounds, (prefix) => this.#known.has(prefix))

  constructor(certificates: NodeCertificateFiles) {
    this.#certificates = certificates
    this.#context = certificates.context
    this.#tls = createTlsServer({
      ...withoutTickets(this.#context),
      requestCert: true,
      // Whom to trust is up to who reads the channel, so that the reason can be said.
      rejectUnauthorized: false,
      handshakeTimeout: 2 * limits.handshakeMsMax,
    })
    this.#tls.on('secureConnection', (socket) => this.#secured(socket))
    this.#tls.on('tlsClientError', (error, socket) =>
      this.#begun.get(peerKey(socket))?.fail(new ClusterError('handshakeRefused', { message: tlsReason(error), cause: error })),
    )
  }

  accept(socket: Socket, onConnection: (stream: ByteStream) => void): void {
    // Closed before it was accepted: it has no peer any more.
    if (socket.remoteAddress === undefined) {
      socket.destroy()
      return
    }
    const key = peerKey(socket)
    const left = (stream: ComingStream): void => {
      this.#turns.leave(stream)
      if (this.#begun.get(key) === stream) this.#begun.delete(key)
    }
    const begin = (stream: ComingStream): void => {
      this.#turns.enter(stream)
      this.#turns.spoke(stream, () => this.#begin(key, stream))
    }
    onConnection(new ComingStream(socket, begin, left))
  }

  close(): void {
    this.#turns.close()
  }

  #begin(key: string, stream: ComingStream): void {
    const { context } = this.#certificates
    if (context !== this.#context) this.#tls.setSecureContext(withoutTickets(context))
    this.#context = context
    stream.ownEndsMs = this.#certificates.inUse.own.endsMs
    // A peer that was reset uses its port again, perhaps before its end was noticed here.
    this.#begun.get(key)?.fail(new ClusterError('handshakeRefused', { message: 'It was closed during the TLS handshake' }))
    this.#begun.set(key, stream)
    this.#tls.emit('connection', stream.socket)
  }

  #secured(socket: TLSSocket): void {
    const stream = this.#begun.get(peerKey(socket))
    if (!stream) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    const secured = tcpByteStream(socket, stream.remoteAddress)
    const channel = readChannel(socket, stream.ownEndsMs)
    if (!channel.ok) {
      stream.fail(channel.error)
      return
    }
    if (channel.value.problem === undefined) this.#remember(addressPrefix(stream.remoteAddress))
    stream.secured(secured, channel.value)
  }

  #remember(prefix: string): void {
    this.#known.delete(prefix)
    this.#known.add(prefix)
    const [oldest] = this.#known
    if (oldest !== undefined && this.#known.size > limits.addressesKnownMax) this.#known.delete(oldest)
  }
}

/** What was said of the handshake, as the failure of a dial. */
const dialFailed = (thrown: unknown, endpoint: Endpoint): ClusterError => {
  const error = asClusterError(thrown, 'dialFailed')
  if (error.code === 'aborted') return error
  const isPlain = error.context['isPlain'] === true
  const message = `${shownEndpoint(endpoint)} did not answer with TLS: it closed the connection; the master does not speak it (option 'tls' in its etc/cluster.json), or was too busy`
  return new ClusterError('dialFailed', { message: isPlain ? message : error.message, context: { isPlain }, cause: thrown })
}

export const createNodeNetwork = (certificates: NodeCertificateFiles): Network => ({
  dial: async (endpoint, signal) => {
    const socket = await dialSocket(endpoint, signal)
    // A TLS socket that failed no longer knows its peer.
    const remoteAddress = plainAddress(socket.remoteAddress ?? 'unknown')
    const { context, inUse } = certificates
    const secured = connect({ socket, ...withoutTickets(context), rejectUnauthorized: false, checkServerIdentity: () => undefined })
    try {
      await handshakeDone(secured, socket, endpoint, signal)
    } catch (thrown) {
      throw dialFailed(thrown, endpoint)
    }
    const stream = tcpByteStream(secured, remoteAddress)
    const channel = readChannel(secured, inUse.own.endsMs)
    if (channel.ok) return Object.assign(stream, { channel: channel.value })
    stream.destroy()
    throw dialFailed(channel.error, endpoint)
  },
  listen: async (endpoint, onConnection, onAcceptError): Promise<Listener> => {
    const coming = new NodeListener(certificates)
    const server = createServer({ noDelay: true, keepAlive: true }, (socket) => coming.accept(socket, onConnection))
    const { address, port } = await startServer(server, endpoint, onAcceptError)
    return {
      address,
      port,
      // Stops accepting at once; connections that are in stay.
      close: async () => {
        server.close()
        coming.close()
      },
    }
  },
})
