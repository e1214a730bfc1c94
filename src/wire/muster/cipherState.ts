/** One direction's key and counter, as Noise's CipherState: AES-256-GCM, nonces never reused, a new key by `rekey`. */
import { createCipheriv, createDecipheriv, createSecretKey, type KeyObject } from 'node:crypto'
import { ok, type Result, refuse } from '../../base/errors.js'
import { invariant } from '../../base/invariant.js'

const algorithm = 'aes-256-gcm'
export const tagBytes = 16
const options = { authTagLength: tagBytes }
const zeros = Buffer.alloc(32)

/** Noise's AESGCM layout: four zero bytes, then the counter, big-endian. */
const rekeyNonce = Buffer.from('00000000ffffffffffffffff', 'hex')

export interface Sealed {
  /** Ciphertext of each part, in order. */
  readonly parts: Uint8Array[]
  readonly tag: Uint8Array
}

/** What seals one direction, frame by frame, and opens it at the other end. */
export type Cipher = Pick<CipherState, 'count' | 'seal' | 'open' | 'rekey'>

export class CipherState {
  // A KeyObject, not bytes: OpenSSL then need not import the key at each frame.
  #key: KeyObject
  #count = 0
  readonly #nonce = Buffer.alloc(12)

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key)
  }

  /** Frames sealed or opened so far. */
  get count(): number {
    return this.#count
  }

  seal(associated: Uint8Array, parts: readonly Uint8Array[]): Sealed {
    const cipher = createCipheriv(algorithm, this.#key, this.#nextNonce(), options)
    cipher.setAAD(associated)
    const sealed: Uint8Array[] = []
    for (const part of parts) sealed.push(cipher.update(part))
    cipher.final()
    return { parts: sealed, tag: cipher.getAuthTag() }
  }

  /** `sealed` ends with the tag. A failure uses up the nonce: the session is over then anyway. */
  open(associated: Uint8Array, sealed: Uint8Array): Result<Buffer> {
    const tagAt = sealed.byteLength - tagBytes
    if (tagAt < 0) return refuse('notAuthentic')
    const decipher = createDecipheriv(algorithm, this.#key, this.#nextNonce(), options)
    decipher.setAAD(associated)
    decipher.setAuthTag(sealed.subarray(tagAt))
    const plain = decipher.update(sealed.subarray(0, tagAt))
    try {
      decipher.final()
    } catch (cause) {
      return refuse('notAuthentic', { cause })
    }
    return ok(plain)
  }

  /** The counter goes on: only the key is new. */
  rekey(): void {
    const cipher = createCipheriv(algorithm, this.#key, rekeyNonce, options)
    this.#key = createSecretKey(cipher.update(zeros))
    cipher.final()
  }

  #nextNonce(): Buffer {
    invariant(this.#count < Number.MAX_SAFE_INTEGER, 'a nonce is used once')
    this.#nonce.writeUInt32BE(Math.floor(this.#count / 2 ** 32), 4)
    this.#nonce.writeUInt32BE(this.#count % 2 ** 32, 8)
    this.#count++
    return this.#nonce
  }
}
