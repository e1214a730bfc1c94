/** Listening for TLS: each connection is admitted, then shakes hands within a deadline, and only then becomes a stream. */
import { createServer, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { type Deadline, Deadlines } from '../../base/deadlines.js'
import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { addressesIn } from '../../domain/kit/addressInNetwork.js'
import type { Endpoint, Listener, TlsServerOptions, TlsStream } from '../../ports/network.js'
import { realClock } from '../machine/realClock.js'
import { certificateNames } from './certificateNames.js'
import { type ComingHandshake, HandshakeTurns } from './handshakeTurns.js'
import { tcpByteStream } from './tcpByteStream.js'
import { plainAddress, startServer } from './tcpSocket.js'
import { type Arrival, awaitHello } from './tlsArrival.js'
import { contextOptions } from './tlsContext.js'

export interface TlsListening {
  readonly onConnection: (stream: TlsStream) => void
  readonly onAcceptError: ((error: ClusterError, remoteAddress: string) => void) | undefined
}

/** One handshake that has not ended. Node's own time-out starts again with every byte, so it has a deadline of ours. */
class Handshake implements ComingHandshake {
  readonly socket: Socket
  remoteAddress: string
  deadline: Deadline | undefined
  /** By who listens, who has been asked once. */
  isAdmitted = false
  readonly #over: (handshake: Handshake, code: ErrorCode, message: string) => void

  constructor(socket: Socket, over: (handshake: Handshake, code: ErrorCode, message: string) => void) {
    this.socket = socket
    this.remoteAddress = plainAddress(socket.remoteAddress ?? 'unknown')
    this.#over = over
    socket.on('error', () => {})
    socket.on('close', () => this.fail('handshakeRefused', 'It was closed during the TLS handshake'))
  }

  fail(code: ErrorCode, message: string): void {
    this.#over(this, code, message)
  }

  due(): void {
    this.fail('handshakeTimeout', 'It did not finish the TLS handshake in time')
  }

  giveWay(reason: 'crowded' | 'slow'): void {
    if (reason === 'slow') this.fail('handshakeTimeout', 'Its TLS handshake was slow, and others waited')
    else this.fail('overloaded', `It gave way to another: ${limits.tlsHandshakesMax} TLS handshakes had not ended`)
  }
}

/** The socket inside Node's TLS is found again by its peer. */
export const peerKey = (socket: Socket): string => `${socket.remoteAddress} ${socket.remotePort}`

class Handshakes {
  readonly #options: TlsServerOptions
  readonly #listening: TlsListening
  readonly #tls: TlsServer
  readonly #isProxy: (address: string) => boolean
  readonly #deadlines = new Deadlines(realClock)
  readonly #underWay = new Map<string, Handshake>()
  readonly #turns = new HandshakeTurns(realClock, {
    handshakesMax: limits.tlsHandshakesMax,
    begunMax: limits.tlsHandshakesBegunMax,
    contestedMsMax: limits.tlsHandshakeContestedMsMax,
    begunMsMax: limits.handshakeMsMax,
  })

  constructor(options: TlsServerOptions, listening: TlsListening) {
    this.#options = options
    this.#listening = listening
    this.#isProxy = addressesIn(options.proxies ?? [])
    const asksForCertificate = options.clientCa !== undefined
    this.#tls = createTlsServer({
      ...contextOptions({ ...options, ca: options.clientCa }),
      requestCert: asksForCertificate,
      // Checked below, so that the reason can be said.
      rejectUnauthorized: false,
      handshakeTimeout: 2 * options.handshakeMsMax,
    })
    this.#tls.on('secureConnection', (socket) => this.#secured(socket))
    this.#tls.on('tlsClientError', (error, socket) => this.#underWay.get(peerKey(socket))?.fail('handshakeRefused', tlsReason(error)))
  }

  begin(socket: Socket): void {
    // Closed before it was accepted: it has no peer any more.
    if (socket.remoteAddress === undefined) {
      socket.destroy()
      return
    }
    const key = peerKey(socket)
    // A peer that was reset uses its port again, perhaps before its end was noticed here.
    this.#underWay.get(key)?.fail('handshakeRefused', 'It was closed during the TLS handshake')
    const handshake = new Handshake(socket, (over, code, message) => this.#fail(key, over, code, message))
    const isProxy = this.#isProxy(handshake.remoteAddress)
    if (!isProxy && !this.#admits(handshake)) return
    this.#turns.enter(handshake)
    this.#underWay.set(key, handshake)
    handshake.deadline = this.#deadlines.add(this.#options.handshakeMsMax, handshake)
    awaitHello(socket, isProxy, (arrival) => this.#arrived(key, handshake, arrival))
  }

  /** Those that are under way end without a word. */
  close(): void {
    this.#turns.close()
    for (const [key, handshake] of [...this.#underWay]) this.#drop(key, handshake)
    this.#deadlines.clear()
  }

  #arrived(key: string, handshake: Handshake, arrival: Arrival): void {
    if (arrival.kind === 'refused') handshake.fail('handshakeRefused', arrival.reason)
    else if (arrival.kind === 'other') handshake.fail('handshakeRefused', 'It does not begin with a TLS handshake')
    else if (arrival.kind === 'closed') this.#drop(key, handshake)
    else {
      handshake.remoteAddress = arrival.forwardedFrom ?? handshake.remoteAddress
      if (this.#admits(handshake)) this.#turns.spoke(handshake, () => this.#tls.emit('connection', handshake.socket))
      else this.#drop(key, handshake)
    }
  }

  /** A peer behind a proxy is asked for once its address is known. */
  #admits(handshake: Handshake): boolean {
    handshake.isAdmitted ||= this.#options.admits?.(handshake.remoteAddress) ?? true
    if (!handshake.isAdmitted) handshake.socket.destroy()
    return handshake.isAdmitted
  }

  #secured(socket: TLSSocket): void {
    const key = peerKey(socket)
    const handshake = this.#underWay.get(key)
    if (!handshake) {
      socket.on('error', () => {})
      socket.destroy()
      return
    }
    if (this.#options.clientCa !== undefined && !socket.authorized) {
      // Node knows this as an error that is not specified.
      const hasNone = Object.keys(socket.getPeerCertificate()).length === 0
      handshake.fail(
        'handshakeRefused',
        hasNone ? 'It showed no certificate' : `Its certificate is not of an authority that is trusted: ${socket.authorizationError}`,
      )
      return
    }
    this.#forget(key, handshake)
    const peerNames = this.#options.clientCa === undefined ? [] : certificateNames(socket)
    this.#listening.onConnection(Object.assign(tcpByteStream(socket, handshake.remoteAddress), { peerNames }))
  }

  #fail(key: string, handshake: Handshake, code: ErrorCode, message: string): void {
    if (!this.#forget(key, handshake)) return
    handshake.socket.destroy()
    if (this.#admits(handshake)) this.#listening.onAcceptError?.(new ClusterError(code, { message }), handshake.remoteAddress)
  }

  #drop(key: string, handshake: Handshake): void {
    this.#forget(key, handshake)
    handshake.socket.destroy()
  }

  #forget(key: string, handshake: Handshake): boolean {
    if (this.#underWay.get(key) !== handshake) return false
    this.#underWay.delete(key)
    this.#turns.leave(handshake)
    if (handshake.deadline) this.#deadlines.remove(handshake.deadline)
    return true
  }
}

/** OpenSSL's own words are in `reason`; its message begins with codes and places. */
export const tlsReason = (error: Error & { readonly reason?: unknown }): string =>
  `The TLS handshake failed: ${typeof error.reason === 'string' ? error.reason : error.message}`

/** Fails with `listenFailed` and `configInvalid`. */
export const listenTls = async (endpoint: Endpoint, options: TlsServerOptions, listening: TlsListening): Promise<Listener> => {
  const handshakes = new Handshakes(options, listening)
  const server = createServer({ noDelay: true, keepAlive: true }, (socket) => handshakes.begin(socket))
  const { address, port } = await startServer(server, endpoint, (error) => listening.onAcceptError?.(error, 'unknown'))
  return {
    address,
    port,
    close: async () => {
      server.close()
      handshakes.close()
    },
  }
}
