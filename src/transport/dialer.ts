/** The dialing side of the handshake: proves the key, says hello, and becomes a link or the refusal's own error. */
import { ClusterError } from '../base/errors.js'
import type { Link } from '../ports/link.js'
import type { ByteStream } from '../ports/network.js'
import { decodeBody, decodeFailure, encodeNotice, encodeRequest, failureOf, requestTypeOf } from '../wire/muster/codec.js'
import { encodeEarlyRefusal } from '../wire/muster/earlyRefusal.js'
import type { Hello, Welcome } from '../wire/muster/messages.js'
import { type InitiatedHandshake, initiateHandshake, secretKeyBytes } from '../wire/muster/noise.js'
import { answerBytes, decodeVerdict, encodePreamble } from '../wire/muster/preamble.js'
import { checkedName, earlyRefusalOf, peerCertificate, prologueOf } from './certifiedPeers.js'
import { Handshake, type HandshakeOptions, type KeyName } from './handshake.js'
import { SessionLink } from './sessionLink.js'

const helloId = 1
const nothing = new Uint8Array(0)
/** A master with another key hangs up as soon as it has read the opening: within this, in milliseconds. */
const promptMsMax = 2_000

export interface DialerOptions {
  readonly handshakeOptions: HandshakeOptions
  readonly stream: ByteStream
  readonly key: { readonly name: KeyName; readonly psk: Uint8Array }
  readonly hello: Hello
  readonly signal: AbortSignal
  readonly done: (link: Link) => void
  readonly failed: (error: ClusterError) => void
}

export class Dialer extends Handshake {
  readonly #options: DialerOptions
  readonly #handshake: InitiatedHandshake
  readonly #timer: unknown
  readonly #openedAtMs: number
  readonly #onAbort = (): void => this.fail(new ClusterError('aborted', { message: 'Dialing was stopped' }))
  #protocol = 0
  #over = false
  #linger: unknown

  constructor(options: DialerOptions) {
    const { handshakeOptions, stream, key, signal } = options
    super(handshakeOptions, stream, answerBytes)
    this.#options = options
    const preamble = encodePreamble(handshakeOptions.protocol)
    const ephemeral = handshakeOptions.random.bytes(secretKeyBytes)
    this.#handshake = initiateHandshake({ psk: key.psk, prologue: prologueOf(preamble, stream.channel), ephemeral }, nothing)
    this.#timer = handshakeOptions.clock.setTimeout(
      () => this.fail(new ClusterError('handshakeTimeout')),
      handshakeOptions.limits.handshakeMsMax,
    )
    this.#openedAtMs = handshakeOptions.clock.monotonicMs()
    signal.addEventListener('abort', this.#onAbort, { once: true })
    const refusal = earlyRefusalOf(stream.channel, handshakeOptions.certified, handshakeOptions.clock.now())
    stream.write(refusal ? [encodeEarlyRefusal(refusal.reason)] : [preamble, this.#handshake.message])
    if (refusal) this.#leave(refusal.error)
  }

  override onReply(id: number, frame: Buffer, from: number, to: number): boolean {
    const welcome = id === helloId && to === frame.byteLength ? decodeBody(frame, from, to, isWelcome) : undefined
    if (!welcome?.ok) {
      this.fail(new ClusterError('malformed', { message: "The master's answer to the hello has a wrong shape" }))
      return false
    }
    this.#welcomed(welcome.value as Welcome)
    return false
  }

  override onErrorReply(_id: number, frame: Buffer, from: number, to: number): boolean {
    const refusal = decodeFailure(frame, from, to)
    this.fail(refusal.ok ? refusal.value : new ClusterError('malformed'))
    return false
  }

  override onStreamClosed(cause?: Error): void {
    this.handshakeOptions.clock.clearTimeout(this.#linger)
    const { refusedEarly } = this
    if (refusedEarly) {
      this.fail(refusedEarly)
      return
    }
    if (this.session) {
      this.fail(new ClusterError('linkLost', { message: 'The master closed the connection before it answered the hello', cause }))
      return
    }
    const isPrompt = cause === undefined && this.handshakeOptions.clock.monotonicMs() - this.#openedAtMs < promptMsMax
    this.fail(new ClusterError(this.heardBytes === 0 ? 'handshakeRefused' : 'linkLost', { cause, context: { isPrompt } }))
  }

  protected override onOpening(answer: Buffer): void {
    const finished = this.#handshake.finish(answer)
    if (!finished.ok) {
      this.fail(
        new ClusterError(finished.error.code, {
          message: 'The answer to the handshake is not that of a master with the same cluster key: most likely it is not a Muster master',
        }),
      )
      return
    }
    const chosen = decodeVerdict(finished.value.payload, this.handshakeOptions.protocol)
    if (!chosen.ok) {
      this.fail(chosen.error)
      return
    }
    this.#protocol = chosen.value
    this.startSession(finished.value, true).sendNow(encodeRequest(requestTypeOf('session.hello'), helloId, this.#options.hello))
  }

  protected override fail(error: ClusterError): void {
    if (this.#over) return
    this.#settle()
    if (this.session) this.session.destroy()
    else this.stream.destroy()
    this.#options.failed(error)
  }

  /** What was said last still gets to the master. */
  #leave(error: ClusterError): void {
    const { clock, limits } = this.handshakeOptions
    this.#settle()
    this.stream.end()
    this.#linger = clock.setTimeout(() => this.stream.destroy(), limits.lingerMsMax)
    this.#options.failed(error)
  }

  #welcomed(welcome: Welcome): void {
    const { session } = this
    if (this.#over || !session) return
    this.#settle()
    const named = checkedName(this.stream, welcome.node, this.handshakeOptions.certified)
    if (!named.ok) {
      session.queue(encodeNotice('session.goodbye', { reason: 'error', error: failureOf(named.error) }))
      session.end()
      this.#options.failed(named.error)
      return
    }
    const { clock, limits, resting, sending } = this.handshakeOptions
    const peer = {
      node: welcome.node,
      type: 'master',
      version: welcome.version,
      ...(welcome.wazuh !== undefined && { wazuh: welcome.wazuh }),
      address: this.stream.remoteAddress,
      capabilities: welcome.capabilities,
      protocol: this.#protocol,
      key: this.#options.key.name,
      ...peerCertificate(this.stream.channel),
    } as const
    const link = new SessionLink({ session, clock, limits, peer, sending, resting, initiator: true })
    link.holdForThisTurn()
    this.#options.done(link)
  }

  #settle(): void {
    this.#over = true
    this.handshakeOptions.clock.clearTimeout(this.#timer)
    this.#options.signal.removeEventListener('abort', this.#onAbort)
  }
}

const isWelcome = (body: unknown): boolean => requestTypeOf('session.hello').isReply(body)
