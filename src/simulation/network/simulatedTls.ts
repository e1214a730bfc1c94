/**
 * TLS of the simulated world, over its streams: a hello each way, then the client's word that it is done. Nothing is enciphered; what
 * is held to is who is let in, when, and what becomes of those that speak something else.
 */
import { type Prelude, PreludeStream } from '../../actors/kit/preludeStream.js'
import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { addressesIn } from '../../domain/kit/addressInNetwork.js'
import type { ByteStream, Endpoint, Listener, Network, TlsClientOptions, TlsServerOptions, TlsStream } from '../../ports/network.js'
import { readProxyHeader } from '../../wire/proxy/proxyHeader.js'
import type { VirtualClock } from '../world/virtualClock.js'
import { certificateFacts, checkTlsTexts, isOfAuthority } from './simulatedCertificates.js'

/** The host that the handshakes run on. */
export interface TlsHost {
  /** Handshakes that are under way; a crash abandons them. */
  readonly handshakes: Set<{ abandon(): void }>
  later(callback: () => void): void
}

const handshakeByte = 22
const finished = Uint8Array.of(20)
const helloStart = 5

export const helloOf = (certificate: string | undefined): Uint8Array => {
  const text = Buffer.from(certificate ?? '')
  const start = Buffer.of(handshakeByte, 3, 1, 0, 0)
  start.writeUInt16BE(text.length, 3)
  return Buffer.concat([start, text])
}

export type TlsHello = { readonly byteCount: number; readonly certificate: string } | 'incomplete' | 'invalid'

export const readHello = (bytes: Uint8Array): TlsHello => {
  if (bytes[0] !== handshakeByte) return 'invalid'
  if (bytes.length < helloStart) return 'incomplete'
  const length = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).readUInt16BE(3)
  if (bytes.length < helloStart + length) return 'incomplete'
  return { byteCount: helloStart + length, certificate: Buffer.from(bytes.subarray(helloStart, helloStart + length)).toString() }
}

interface Taken {
  readonly byteCount: number
  readonly isOver: boolean
}

const more: Taken = { byteCount: 0, isOver: false }

interface HandshakePlace {
  readonly clock: VirtualClock
  readonly host: TlsHost
  /** What may have to abandon it. */
  readonly sets: readonly { add(handshake: Handshake): void; delete(handshake: Handshake): void }[]
}

/** One end's handshake: it is over, fails, or is abandoned, once. */
abstract class Handshake implements Prelude {
  readonly stream: PreludeStream
  readonly #place: HandshakePlace
  readonly #timer: unknown
  #isEnded = false

  constructor(stream: ByteStream, place: HandshakePlace, msMax: number) {
    this.#place = place
    for (const set of place.sets) set.add(this)
    const late = (): void => {
      this.fail('handshakeTimeout', 'The TLS handshake did not end in time')
    }
    this.#timer = place.clock.setTimeout(() => place.host.later(late), msMax)
    this.stream = new PreludeStream(stream, this)
  }

  abstract take(bytes: Uint8Array): Taken
  protected abstract succeeded(): void
  protected abstract failed(error: ClusterError): void

  over(): void {
    if (this.#end()) this.succeeded()
  }

  closed(_isEmpty: boolean): void {
    this.fail('handshakeRefused', 'It was closed during the TLS handshake')
  }

  fail(code: ErrorCode, message: string): Taken {
    if (this.#end()) {
      this.stream.destroy()
      this.failed(new ClusterError(code, { message }))
    }
    return more
  }

  /** Without a word. */
  abandon(): void {
    if (this.#end()) this.stream.destroy()
  }

  giveWay(): void {
    this.fail('overloaded', 'It gave way to another TLS handshake')
  }

  #end(): boolean {
    if (this.#isEnded) return false
    this.#isEnded = true
    this.#place.clock.clearTimeout(this.#timer)
    for (const set of this.#place.sets) set.delete(this)
    return true
  }
}

interface TlsListening {
  readonly onConnection: (stream: TlsStream) => void
  readonly onAcceptError: ((error: ClusterError, remoteAddress: string) => void) | undefined
}

class ServerHandshake extends Handshake {
  readonly #tls: TlsServerOptions
  readonly #listening: TlsListening
  #awaits: 'header' | 'hello' | 'finished'
  #isAdmitted: boolean
  /** A proxy that forwards nobody, as balancers are that see whether somebody listens; until it says more. */
  #isOfNobody = false
  #clientCertificate = ''

  constructor(stream: ByteStream, place: HandshakePlace, tls: TlsServerOptions, listening: TlsListening, isProxy: boolean) {
    super(stream, place, tls.handshakeMsMax)
    this.#tls = tls
    this.#listening = listening
    this.#awaits = isProxy ? 'header' : 'hello'
    this.#isAdmitted = !isProxy
  }

  take(bytes: Uint8Array): Taken {
    if (this.#awaits === 'header') return this.#takeHeader(bytes)
    if (this.#awaits === 'hello') return this.#takeHello(bytes)
    if (bytes[0] !== finished[0]) return this.fail('handshakeRefused', 'The TLS handshake failed: unexpected message')
    const { clientCa } = this.#tls
    if (clientCa !== undefined && this.#clientCertificate === '') return this.fail('handshakeRefused', 'It showed no certificate')
    if (clientCa !== undefined && !isOfAuthority(this.#clientCertificate, clientCa))
      return this.fail('handshakeRefused', 'Its certificate is not of an authority that is trusted')
    return { byteCount: finished.length, isOver: true }
  }

  override closed(isEmpty: boolean): void {
    if (this.#isOfNobody || (this.#awaits === 'header' && isEmpty)) this.abandon()
    else super.closed(isEmpty)
  }

  protected succeeded(): void {
    const peerNames = this.#tls.clientCa === undefined ? [] : certificateFacts(this.#clientCertificate).names
    this.#listening.onConnection(Object.assign(this.stream, { peerNames }))
  }

  protected failed(error: ClusterError): void {
    if (this.#admitted()) this.#listening.onAcceptError?.(error, this.stream.remoteAddress)
  }

  #takeHeader(bytes: Uint8Array): Taken {
    const header = readProxyHeader(bytes)
    if (header.kind === 'incomplete') return more
    if (header.kind === 'invalid') return this.fail('handshakeRefused', `The header of the proxy is not valid: ${header.reason}`)
    if (header.source) this.stream.remoteAddress = header.source.address
    else this.#isOfNobody = true
    this.#awaits = 'hello'
    return { byteCount: header.byteCount, isOver: false }
  }

  #takeHello(bytes: Uint8Array): Taken {
    const hello = readHello(bytes)
    if (hello === 'incomplete') return more
    if (hello === 'invalid') return this.fail('handshakeRefused', 'It does not begin with a TLS handshake')
    if (!this.#admitted()) {
      this.abandon()
      return more
    }
    this.#isOfNobody = false
    this.#clientCertificate = hello.certificate
    this.#awaits = 'finished'
    this.stream.write([helloOf(this.#tls.certificate)])
    return { byteCount: hello.byteCount, isOver: false }
  }

  #admitted(): boolean {
    this.#isAdmitted ||= this.#tls.admits?.(this.stream.remoteAddress) ?? true
    return this.#isAdmitted
  }
}

class ClientHandshake extends Handshake {
  readonly #ca: string | undefined
  readonly #done: { resolve(stream: TlsStream): void; reject(error: ClusterError): void }
  #names: readonly string[] = []

  constructor(
    stream: ByteStream,
    place: HandshakePlace,
    tls: TlsClientOptions,
    done: { resolve(stream: TlsStream): void; reject(error: ClusterError): void },
  ) {
    super(stream, place, limits.handshakeMsMax)
    this.#ca = tls.ca
    this.#done = done
    this.stream.write([helloOf(tls.certificate)])
  }

  take(bytes: Uint8Array): Taken {
    const hello = readHello(bytes)
    if (hello === 'incomplete') return more
    if (hello === 'invalid') return this.fail('handshakeRefused', 'It did not answer with a TLS handshake')
    if (this.#ca !== undefined && !isOfAuthority(hello.certificate, this.#ca))
      return this.fail('handshakeRefused', "The server's certificate is not of an authority that is trusted")
    this.#names = certificateFacts(hello.certificate).names
    this.stream.write([finished])
    return { byteCount: hello.byteCount, isOver: true }
  }

  protected succeeded(): void {
    this.#done.resolve(Object.assign(this.stream, { peerNames: this.#names }))
  }

  protected failed(error: ClusterError): void {
    this.#done.reject(error)
  }
}

export interface TlsWorld {
  readonly network: Network
  readonly clock: VirtualClock
  readonly host: TlsHost
}

export const listenSimulatedTls = async (
  { clock, host, network }: TlsWorld,
  endpoint: Endpoint,
  tls: TlsServerOptions,
  listening: TlsListening,
  handshakesMax: number = limits.tlsHandshakesMax,
): Promise<Listener> => {
  checkTlsTexts({ ...tls, ca: tls.clientCa })
  const isProxy = addressesIn(tls.proxies ?? [])
  const underWay = new Set<Handshake>()
  const place = { clock, host, sets: [underWay, host.handshakes] }
  const listener = await network.listen(endpoint, (stream) => {
    const isForwarded = isProxy(stream.remoteAddress)
    if (!isForwarded && tls.admits?.(stream.remoteAddress) === false) {
      stream.destroy()
      return
    }
    const [oldest] = underWay
    if (underWay.size >= handshakesMax) oldest?.giveWay()
    new ServerHandshake(stream, place, tls, listening, isForwarded)
  })
  return {
    address: listener.address,
    port: listener.port,
    close: async () => {
      for (const handshake of [...underWay]) handshake.abandon()
      await listener.close()
    },
  }
}

export const dialSimulatedTls = async (
  { clock, host, network }: TlsWorld,
  endpoint: Endpoint,
  tls: TlsClientOptions,
  signal: AbortSignal,
): Promise<TlsStream> => {
  checkTlsTexts(tls)
  const stream = await network.dial(endpoint, signal)
  const { promise, reject, resolve } = settledOutside<TlsStream>()
  const handshake = new ClientHandshake(stream, { clock, host, sets: [host.handshakes] }, tls, { resolve, reject })
  const onAbort = (): void => {
    handshake.fail('aborted', 'Dialing was stopped')
  }
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

const settledOutside = <T>(): { promise: Promise<T>; resolve(value: T): void; reject(error: ClusterError): void } => {
  let settle: { resolve(value: T): void; reject(error: ClusterError): void } = { resolve: () => {}, reject: () => {} }
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject }
  })
  return { promise, ...settle }
}
