/** What both ends of a handshake have in common: the surroundings, and a session's first frame that must be one record. */
import { ClusterError } from '../base/errors.js'
import type { Clock, Random } from '../ports/machine.js'
import type { ByteStream } from '../ports/network.js'
import type { Cipher } from '../wire/muster/cipherState.js'
import { decodeEarlyRefusal } from '../wire/muster/earlyRefusal.js'
import type { TransportKeys } from '../wire/muster/noise.js'
import type { VersionRange } from '../wire/muster/preamble.js'
import { type CertifiedPeers, refusedEarly } from './certifiedPeers.js'
import type { NodeSending } from './nodeSending.js'
import { Session, type SessionEvents, type SessionLimits } from './session.js'
import type { RestingPeers } from './workShare.js'

export type KeyName = 'current' | 'previous'

export interface HandshakeOptions {
  readonly clock: Clock
  readonly random: Random
  readonly limits: SessionLimits
  readonly protocol: VersionRange
  /** What all links of the node share. */
  readonly sending: NodeSending
  readonly resting: RestingPeers
  /** Secrets of 32 bytes, the current key's first. */
  readonly psks: readonly { readonly name: KeyName; readonly psk: Uint8Array }[]
  /** Of a node that has certificates. */
  readonly certified?: CertifiedPeers | undefined
  /** See TransportOptions. */
  readonly plainCipher?: (() => Cipher) | undefined
}

const wrongState = (): ClusterError =>
  new ClusterError('wrongState', { message: 'The peer sent something else before the hello was answered' })

/** Refuses everything; the two ends allow what they wait for. */
export abstract class Handshake implements SessionEvents {
  protected readonly handshakeOptions: HandshakeOptions
  protected readonly stream: ByteStream
  #session: Session | undefined
  #opening: Buffer
  #openingBytes = 0

  constructor(handshakeOptions: HandshakeOptions, stream: ByteStream, openingBytes: number) {
    this.handshakeOptions = handshakeOptions
    this.stream = stream
    this.#opening = Buffer.alloc(openingBytes)
    stream.attach({
      onBytes: (bytes) => (this.#session ? this.#session.onBytes(bytes) : this.#gather(bytes)),
      onDrain: () => this.#session?.onDrain(),
      onClosed: (error) => (this.#session ? this.#session.onStreamClosed(error) : this.onStreamClosed(error)),
    })
  }

  /** The peer's part of the handshake, whole. */
  protected abstract onOpening(opening: Buffer): void
  protected abstract fail(error: ClusterError): void

  protected get session(): Session | undefined {
    return this.#session
  }

  /** Bytes of the handshake that came so far. */
  protected get heardBytes(): number {
    return this.#openingBytes
  }

  /** The peer ended the connection with a reason, and nothing else. */
  protected get refusedEarly(): ClusterError | undefined {
    const reason = this.#session ? undefined : decodeEarlyRefusal(this.#opening.subarray(0, this.#openingBytes))
    return reason && refusedEarly(reason)
  }

  protected startSession(keys: TransportKeys, initiator: boolean): Session {
    const { clock, limits, plainCipher } = this.handshakeOptions
    const ciphers = plainCipher ? { initiatorToResponder: plainCipher(), responderToInitiator: plainCipher() } : keys
    const session = new Session({ stream: this.stream, clock, limits, keys: ciphers, initiator })
    session.hearWith(this)
    this.#session = session
    return session
  }

  abstract onStreamClosed(error?: Error): void

  onRequest(_id: number, _type: number, _frame: Buffer, _from: number, _to: number): boolean {
    return this.#refuse()
  }

  onReply(_id: number, _frame: Buffer, _from: number, _to: number): boolean {
    return this.#refuse()
  }

  onErrorReply(_id: number, _frame: Buffer, _from: number, _to: number): boolean {
    return this.#refuse()
  }

  onNotice(_type: number, _frame: Buffer, _from: number, _to: number): boolean {
    return this.#refuse()
  }

  onChunk(_stream: number, _frame: Buffer, _from: number, _to: number): boolean {
    return this.#refuse()
  }

  onFrame(): void {}

  onViolation(error: ClusterError): void {
    this.fail(error)
  }

  onStalled(): void {
    this.fail(new ClusterError('handshakeTimeout'))
  }

  #refuse(): boolean {
    this.fail(wrongState())
    return false
  }

  #gather(bytes: Uint8Array): void {
    const missing = this.#opening.byteLength - this.#openingBytes
    const taken = bytes.subarray(0, missing)
    this.#opening.set(taken, this.#openingBytes)
    this.#openingBytes += taken.byteLength
    if (this.#openingBytes < this.#opening.byteLength) return
    const opening = this.#opening
    this.#opening = Buffer.alloc(0)
    this.onOpening(opening)
    const rest = bytes.subarray(missing)
    // After its part a peer can only know what to say once it has our answer: anything more is not a peer.
    if (rest.byteLength > 0) this.fail(wrongState())
  }
}
