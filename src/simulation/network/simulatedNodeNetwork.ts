/**
 * TLS between simulated nodes, over any network: the client's hello, the server's with its certificate, and the client's certificate. Nothing is
 * enciphered; what is held to is which streams are over TLS, what is known of the peer, and what both ends of a channel share.
 */
import { createHash } from 'node:crypto'
import { PreludeStream } from '../../actors/kit/preludeStream.js'
import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { CertificateProblem } from '../../domain/cluster/nodeCertificate.js'
import type { Clock, Random } from '../../ports/machine.js'
import type { ByteStream, ByteStreamEvents, Endpoint, Network, SecureChannel } from '../../ports/network.js'
import { isOfAuthority, shownBySimulated } from './simulatedCertificates.js'
import type { NodeCertificateTexts, SimulatedNodeCertificates } from './simulatedNodeCertificates.js'
import { helloOf, readHello } from './simulatedTls.js'

export interface SimulatedNodeNetworkOptions {
  readonly network: Network
  readonly clock: Clock
  readonly random: Random
  readonly certificates: SimulatedNodeCertificates
}

const handshakeByte = 22
/** With it a client's first message is longer than what a node without TLS reads at once, as it is in the real world. */
const nonceChars = 128

/** A stream that may be attached to, and written to, before its handshake is over. */
class SecuredStream extends PreludeStream {
  channel: SecureChannel | undefined
  /** Why it is closed, where the handshake failed. */
  failure: ClusterError | undefined
  #early: (readonly Uint8Array[])[] | undefined = []
  #events: ByteStreamEvents | undefined

  override attach(events: ByteStreamEvents): void {
    this.#events = events
    super.attach({
      onBytes: (bytes) => events.onBytes(bytes),
      onDrain: () => events.onDrain(),
      onEnd: () => events.onEnd?.(),
      onClosed: (error) => this.closed(error),
    })
  }

  override write(parts: readonly Uint8Array[]): boolean {
    this.#early?.push(parts)
    return this.#early ? true : super.write(parts)
  }

  shakeHands(message: Uint8Array): void {
    super.write([message])
  }

  /** What is written from here on is the stream's own. */
  begin(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const parts of early) super.write(parts)
  }

  closed(error?: Error): void {
    this.#events?.onClosed(this.failure ?? error)
  }
}

class Handshakes {
  readonly #options: SimulatedNodeNetworkOptions

  constructor(options: SimulatedNodeNetworkOptions) {
    this.#options = options
  }

  nonce(): string {
    return Buffer.from(this.#options.random.bytes(nonceChars / 2)).toString('hex')
  }

  /** Of the nonces of the two sides, the client's first. */
  channel(certificate: string, nonces: readonly [client: string, server: string], own: NodeCertificateTexts): SecureChannel {
    return {
      certificate: certificate === '' ? undefined : shownBySimulated(certificate),
      problem: this.#problemOf(certificate, own.ca),
      binding: createHash('sha256').update(nonces.join(' ')).digest(),
      ownEndsMs: shownBySimulated(own.certificate).endsMs,
    }
  }

  /** Hands the stream out at once. */
  accept(stream: ByteStream, onConnection: (stream: ByteStream) => void): void {
    const own = this.#options.certificates.texts
    const serverNonce = this.nonce()
    let clientNonce: string | undefined
    const coming = new SecuredStream(stream, {
      take: (bytes) => {
        if (clientNonce === undefined && bytes[0] !== handshakeByte) return { byteCount: 0, isOver: true }
        const hello = readHello(bytes)
        if (hello === 'incomplete') return { byteCount: 0, isOver: false }
        if (hello === 'invalid') {
          coming.failure = new ClusterError('handshakeRefused', { message: 'The TLS handshake failed: unexpected message' })
          coming.destroy()
          return { byteCount: 0, isOver: false }
        }
        if (clientNonce === undefined) {
          clientNonce = hello.certificate
          coming.shakeHands(helloOf(`${serverNonce}${own.certificate}`))
          return { byteCount: hello.byteCount, isOver: false }
        }
        coming.channel = this.channel(hello.certificate, [clientNonce, serverNonce], own)
        return { byteCount: hello.byteCount, isOver: true }
      },
      over: () => coming.begin(),
      closed: () => coming.closed(),
    })
    onConnection(coming)
  }

  dial(stream: ByteStream, endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
    const own = this.#options.certificates.texts
    const { clock } = this.#options
    const clientNonce = this.nonce()
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clock.clearTimeout(timer)
        signal.removeEventListener('abort', onAbort)
      }
      const fail = (code: ErrorCode, what: string, isPlain = false): void => {
        settle()
        secured.destroy()
        reject(new ClusterError(code, { message: `${endpoint.host} ${what}`, context: { isPlain } }))
      }
      const onAbort = (): void => fail('aborted', 'is not dialled any more')
      const timer = clock.setTimeout(() => fail('dialFailed', 'did not finish the TLS handshake in time'), limits.handshakeMsMax)
      const secured = new SecuredStream(stream, {
        take: (bytes) => {
          const hello = readHello(bytes)
          if (hello === 'invalid') fail('dialFailed', 'did not answer with TLS')
          if (typeof hello === 'string') return { byteCount: 0, isOver: false }
          const serverNonce = hello.certificate.slice(0, nonceChars)
          secured.shakeHands(helloOf(own.certificate))
          secured.channel = this.channel(hello.certificate.slice(nonceChars), [clientNonce, serverNonce], own)
          return { byteCount: hello.byteCount, isOver: true }
        },
        over: () => {
          settle()
          secured.begin()
          resolve(secured)
        },
        closed: (isEmpty) => fail('dialFailed', 'did not answer with TLS: it closed the connection', isEmpty),
      })
      signal.addEventListener('abort', onAbort, { once: true })
      secured.shakeHands(helloOf(clientNonce))
      if (signal.aborted) onAbort()
    })
  }

  #problemOf(certificate: string, ca: string): CertificateProblem | undefined {
    if (certificate === '') return 'missing'
    if (!isOfAuthority(certificate, ca)) return 'untrusted'
    const { endsMs, startsMs } = shownBySimulated(certificate)
    const nowMs = this.#options.clock.now()
    return nowMs > endsMs ? 'expired' : nowMs < startsMs ? 'early' : undefined
  }
}

export const createSimulatedNodeNetwork = (options: SimulatedNodeNetworkOptions): Network => {
  const handshakes = new Handshakes(options)
  return {
    dial: async (endpoint, signal) => handshakes.dial(await options.network.dial(endpoint, signal), endpoint, signal),
    listen: (endpoint, onConnection, onAcceptError) =>
      options.network.listen(endpoint, (stream) => handshakes.accept(stream, onConnection), onAcceptError),
  }
}
