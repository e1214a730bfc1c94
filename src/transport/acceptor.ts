/**
 * The listening side of the handshake. A peer that does not prove the key learns nothing, not even why; one that does gets
 * a link, or the refusal of the admission policy with its reason.
 */
import { asClusterError, ClusterError, type Result } from '../base/errors.js'
import { limits as allLimits } from '../base/limits.js'
import type { AdmissionPolicy } from '../ports/link.js'
import type { ByteStream } from '../ports/network.js'
import { decodeBody, encodeErrorReply, encodeReply, requestTypeOf } from '../wire/muster/codec.js'
import { encodeEarlyRefusal } from '../wire/muster/earlyRefusal.js'
import { type Hello, requests, type Welcome } from '../wire/muster/messages.js'
import { type AcceptedHandshake, acceptHandshake, publicKeyBytes, secretKeyBytes } from '../wire/muster/noise.js'
import { chooseProtocol, decodePreamble, encodeVerdict, openingBytes } from '../wire/muster/preamble.js'
import type { Admission, PendingPeer } from './admission.js'
import { checkedName, earlyRefusalOf, peerCertificate, prologueOf } from './certifiedPeers.js'
import { Handshake, type HandshakeOptions, type KeyName } from './handshake.js'
import type { SeenOpenings } from './seenOpenings.js'
import { SessionLink } from './sessionLink.js'

/** What the receptions of one listener share. */
export interface ListenerOptions {
  readonly admission: Admission
  readonly seenOpenings: SeenOpenings
}

export class Acceptor extends Handshake implements PendingPeer {
  readonly #listener: ListenerOptions
  readonly #doorkeeper: AdmissionPolicy
  readonly #timer: unknown
  #protocol = 0
  #key: KeyName = 'current'
  #over = false
  /** Said already; the connection is to end. */
  #refusal: ClusterError | undefined

  constructor(handshakeOptions: HandshakeOptions, stream: ByteStream, door: ListenerOptions, policy: AdmissionPolicy) {
    super(handshakeOptions, stream, openingBytes)
    this.#listener = door
    this.#doorkeeper = policy
    const { clock, limits } = handshakeOptions
    this.#timer = clock.setTimeout(() => this.fail(new ClusterError('handshakeTimeout')), limits.handshakeMsMax)
    door.admission.enter(this)
  }

  get address(): string {
    return this.stream.remoteAddress
  }

  evict(): void {
    this.fail(
      new ClusterError('overloaded', {
        message: 'Too many connections are waiting to be let in; this one was picked at random and closed to make room',
      }),
    )
  }

  override onRequest(id: number, type: number, frame: Buffer, from: number, to: number): boolean {
    if (type !== requests['session.hello'].id) return super.onRequest(id, type, frame, from, to)
    const hello = to === frame.byteLength ? decodeBody(frame, from, to, isHello) : undefined
    if (hello?.ok) this.#letIn(id, hello.value as Hello)
    else this.#refuse(id, new ClusterError('malformed', { message: 'The hello has a wrong shape' }))
    return false
  }

  override onStreamClosed(cause?: Error): void {
    const { refusedEarly } = this
    const isOfTls = cause instanceof ClusterError && cause.code === 'handshakeRefused'
    if (refusedEarly) this.fail(refusedEarly)
    else if (isOfTls) this.fail(cause)
    else this.fail(new ClusterError('linkClosed', { message: 'The peer closed the connection before it was let in', cause }))
  }

  protected override onOpening(opening: Buffer): void {
    if (this.#refusesEarly()) return
    const preamble = opening.subarray(0, allLimits.preambleBytes)
    const range = decodePreamble(preamble)
    if (!range.ok) {
      this.fail(range.error)
      return
    }
    const message = opening.subarray(allLimits.preambleBytes)
    const ephemeral = message.subarray(0, publicKeyBytes)
    if (this.#listener.seenOpenings.has(ephemeral)) {
      this.fail(new ClusterError('notAuthentic', { message: 'The peer repeated an opening that was used before' }))
      return
    }
    // Proves the key by symmetric means only; the costly exchange of keys comes with the answer.
    const accepted = this.#accept(preamble, message)
    if (!accepted) {
      this.fail(new ClusterError('notAuthentic', { message: 'The peer did not prove the cluster key' }))
      return
    }
    this.#listener.seenOpenings.add(ephemeral)
    this.#listener.admission.prove(this)
    const chosen = chooseProtocol(this.handshakeOptions.protocol, range.value)
    const answer = accepted.answer(encodeVerdict(chosen, this.handshakeOptions.protocol))
    if (!answer.ok) {
      this.fail(answer.error)
      return
    }
    this.stream.write([answer.value.message])
    const session = this.startSession(answer.value, false)
    if (chosen.ok) {
      this.#protocol = chosen.value
      return
    }
    session.end()
    this.#turnAway(chosen.error)
  }

  protected override fail(error: ClusterError): void {
    if (this.#over) return
    if (this.session) this.session.destroy()
    else this.stream.destroy()
    this.#turnAway(this.#refusal ?? error)
  }

  #accept(preamble: Uint8Array, message: Uint8Array): AcceptedHandshake | undefined {
    const ephemeral = this.handshakeOptions.random.bytes(secretKeyBytes)
    const prologue = prologueOf(preamble, this.stream.channel)
    for (const { name, psk } of this.handshakeOptions.psks) {
      const accepted = acceptHandshake({ psk, prologue, ephemeral }, message)
      if (!accepted.ok) continue
      this.#key = name
      return accepted.value
    }
    return undefined
  }

  #letIn(id: number, hello: Hello): void {
    const { session } = this
    if (this.#over || !session) return
    const admitted = this.#admit(hello)
    if (!admitted.ok) {
      this.#refuse(id, admitted.error)
      return
    }
    const welcome = this.#encodeWelcome(id, admitted.value)
    this.#settle()
    this.#listener.admission.remember(this.address)
    // Alone in its frame: until then the worker takes no frame that is larger than an answer to a hello.
    session.sendNow(welcome)
    const { clock, limits, resting, sending } = this.handshakeOptions
    const peer = {
      node: hello.node,
      type: hello.type,
      version: hello.version,
      ...(hello.wazuh !== undefined && { wazuh: hello.wazuh }),
      address: this.address,
      capabilities: hello.capabilities,
      protocol: this.#protocol,
      key: this.#key,
      ...peerCertificate(this.stream.channel),
    }
    this.#doorkeeper.onLink(new SessionLink({ session, clock, limits, peer, sending, resting, initiator: false }))
  }

  #admit(hello: Hello): Result<Welcome> {
    const named = checkedName(this.stream, hello.node, this.handshakeOptions.certified)
    if (!named.ok) return named
    try {
      return this.#doorkeeper.admit(hello, this.address)
    } catch (thrown) {
      return { ok: false, error: asClusterError(thrown) }
    }
  }

  #encodeWelcome(id: number, welcome: Welcome): Uint8Array {
    return encodeReply(requestTypeOf('session.hello'), id, welcome)
  }

  /** In one word, to a peer that has proved nothing; until it is gone it keeps its place, as any stranger. */
  #refusesEarly(): boolean {
    const { certified, clock } = this.handshakeOptions
    const refusal = earlyRefusalOf(this.stream.channel, certified, clock.now())
    if (!refusal) return false
    if (this.#refusal) {
      this.fail(this.#refusal)
      return true
    }
    this.#refusal = refusal.error
    this.stream.write([encodeEarlyRefusal(refusal.reason)])
    this.stream.end()
    return true
  }

  #refuse(id: number, error: ClusterError): void {
    if (this.#over) return
    this.session?.queue(encodeErrorReply(id, error))
    this.session?.end()
    this.#turnAway(error)
  }

  #turnAway(error: ClusterError): void {
    this.#settle()
    this.#doorkeeper.onRefusal({ address: this.address, error })
  }

  #settle(): void {
    this.#over = true
    this.handshakeOptions.clock.clearTimeout(this.#timer)
    this.#listener.admission.leave(this)
  }
}

const isHello = (body: unknown): boolean => requestTypeOf('session.hello').isRequest(body)
