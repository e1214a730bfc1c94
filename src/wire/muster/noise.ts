/**
 * The handshake Noise_NNpsk0_25519_AESGCM_SHA256 over the primitives of node:crypto: both sides prove that they know the
 * pre-shared key and get keys that nobody can compute afterwards. Synchronous, so that simulations stay deterministic.
 */
import { createHash, createHmac, createPrivateKey, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import { ok, type Result, refuse } from '../../base/errors.js'
import { type Cipher, CipherState, tagBytes } from './cipherState.js'

export const publicKeyBytes = 32
export const secretKeyBytes = 32
const protocolName = 'Noise_NNpsk0_25519_AESGCM_SHA256'
const nothing = new Uint8Array(0)

/** Length of a handshake message whose payload has this many bytes. */
export const handshakeMessageBytes = (payloadBytes: number): number => publicKeyBytes + payloadBytes + tagBytes

export interface TransportKeys {
  readonly initiatorToResponder: Cipher
  readonly responderToInitiator: Cipher
}

export interface HandshakeSecrets {
  readonly psk: Uint8Array
  /** What both sides must agree on besides the key. */
  readonly prologue: Uint8Array
  /** Fresh random bytes, used for this handshake only. */
  readonly ephemeral: Uint8Array
}

// As JSON keys are read in a tenth of the time that ASN.1 takes. Of a private one Node reads `d` only; its public half follows from it.
const privateKeyOf = (secret: Uint8Array): KeyObject =>
  createPrivateKey({ key: { kty: 'OKP', crv: 'X25519', x: '', d: Buffer.from(secret).toString('base64url') }, format: 'jwk' })
const publicKeyOf = (bytes: Uint8Array): KeyObject =>
  createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(bytes).toString('base64url') }, format: 'jwk' })
const publicBytesOf = (key: KeyObject): Uint8Array => Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url')

const hmac = (key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array => {
  const mac = createHmac('sha256', key)
  for (const part of parts) mac.update(part)
  return mac.digest()
}

const hkdf = (chainingKey: Uint8Array, input: Uint8Array): readonly [Uint8Array, Uint8Array, Uint8Array] => {
  const secret = hmac(chainingKey, input)
  const first = hmac(secret, Uint8Array.of(1))
  const second = hmac(secret, first, Uint8Array.of(2))
  return [first, second, hmac(secret, second, Uint8Array.of(3))]
}

/** Noise's SymmetricState: everything said so far goes into the hash, everything shared into the chaining key. */
class SymmetricState {
  #hash: Uint8Array = Buffer.from(protocolName)
  #chainingKey: Uint8Array = this.#hash
  #cipher = new CipherState(new Uint8Array(32))

  get hash(): Uint8Array {
    return this.#hash
  }

  mixHash(data: Uint8Array): void {
    this.#hash = createHash('sha256').update(this.#hash).update(data).digest()
  }

  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = hkdf(this.#chainingKey, input)
    this.#chainingKey = chainingKey
    this.#cipher = new CipherState(key)
  }

  mixKeyAndHash(input: Uint8Array): void {
    const [chainingKey, hashed, key] = hkdf(this.#chainingKey, input)
    this.#chainingKey = chainingKey
    this.mixHash(hashed)
    this.#cipher = new CipherState(key)
  }

  encryptAndHash(payload: Uint8Array): Uint8Array {
    const { parts, tag } = this.#cipher.seal(this.#hash, [payload])
    const sealed = Buffer.concat([...parts, tag])
    this.mixHash(sealed)
    return sealed
  }

  decryptAndHash(sealed: Uint8Array): Result<Uint8Array> {
    const opened = this.#cipher.open(this.#hash, sealed)
    if (opened.ok) this.mixHash(sealed)
    return opened
  }

  split(): TransportKeys {
    const [first, second] = hkdf(this.#chainingKey, nothing)
    return {
      initiatorToResponder: new CipherState(first),
      responderToInitiator: new CipherState(second),
    }
  }
}

const begun = ({ psk, prologue }: HandshakeSecrets): SymmetricState => {
  const state = new SymmetricState()
  state.mixHash(prologue)
  state.mixKeyAndHash(psk)
  return state
}

/** Token `e`: with a pre-shared key the ephemeral key goes into the chaining key too. */
const mixEphemeral = (state: SymmetricState, publicKey: Uint8Array): void => {
  state.mixHash(publicKey)
  state.mixKey(publicKey)
}

/** Token `ee`. A peer can choose a point for which there is no shared secret; that is its mistake, not a crash. */
const mixShared = (state: SymmetricState, own: KeyObject, theirs: Uint8Array): Result<void> => {
  try {
    state.mixKey(diffieHellman({ privateKey: own, publicKey: publicKeyOf(theirs) }))
    return ok(undefined)
  } catch (cause) {
    return refuse('notAuthentic', { cause })
  }
}

export interface InitiatedHandshake {
  readonly message: Uint8Array
  finish(answer: Uint8Array): Result<TransportKeys & { readonly payload: Uint8Array }>
}

export const initiateHandshake = (secrets: HandshakeSecrets, payload: Uint8Array): InitiatedHandshake => {
  const state = begun(secrets)
  const own = privateKeyOf(secrets.ephemeral)
  const publicKey = publicBytesOf(own)
  mixEphemeral(state, publicKey)
  const message = Buffer.concat([publicKey, state.encryptAndHash(payload)])
  const finish: InitiatedHandshake['finish'] = (answer) => {
    if (answer.byteLength < handshakeMessageBytes(0)) return refuse('notAuthentic')
    const theirs = answer.subarray(0, publicKeyBytes)
    mixEphemeral(state, theirs)
    const shared = mixShared(state, own, theirs)
    if (!shared.ok) return shared
    const opened = state.decryptAndHash(answer.subarray(publicKeyBytes))
    return opened.ok ? ok({ ...state.split(), payload: opened.value }) : opened
  }
  return { message, finish }
}

export interface AcceptedHandshake {
  readonly payload: Uint8Array
  answer(payload: Uint8Array): Result<TransportKeys & { readonly message: Uint8Array }>
}

/** Fails with `notAuthentic` when the initiator has another key or another prologue. */
export const acceptHandshake = (secrets: HandshakeSecrets, message: Uint8Array): Result<AcceptedHandshake> => {
  if (message.byteLength < handshakeMessageBytes(0)) return refuse('notAuthentic')
  const state = begun(secrets)
  const theirs = message.subarray(0, publicKeyBytes)
  mixEphemeral(state, theirs)
  const opened = state.decryptAndHash(message.subarray(publicKeyBytes))
  if (!opened.ok) return opened
  const answer: AcceptedHandshake['answer'] = (payload) => {
    const own = privateKeyOf(secrets.ephemeral)
    const publicKey = publicBytesOf(own)
    mixEphemeral(state, publicKey)
    const shared = mixShared(state, own, theirs)
    if (!shared.ok) return shared
    const sealed = Buffer.concat([publicKey, state.encryptAndHash(payload)])
    return ok({ ...state.split(), message: sealed })
  }
  return ok({ payload: opened.value, answer })
}
