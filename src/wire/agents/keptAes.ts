/**
 * AES-256-CBC with one cipher that is kept, because making one for each message costs more than the message. CBC goes on where the last
 * message ended: its last block stands where the IV belongs. So the first block is put right by XOR with the IV and that block.
 */
import { type Cipher, createCipheriv, createDecipheriv, type Decipher } from 'node:crypto'

export const aesBlockBytes = 16

/** IV xor what the cipher has in its place; nothing but zeros in a cipher that has done nothing. */
class Correction {
  readonly #iv: Uint8Array
  readonly #mask = new Uint8Array(aesBlockBytes)

  constructor(iv: Uint8Array) {
    this.#iv = iv
  }

  applyTo(block: Uint8Array): void {
    const mask = this.#mask
    for (let at = 0; at < aesBlockBytes; at++) block[at] = (block[at] ?? 0) ^ (mask[at] ?? 0)
  }

  /** The cipher has come to the end of this ciphertext. */
  noteEnd(sealed: Uint8Array): void {
    const iv = this.#iv
    const mask = this.#mask
    const last = sealed.byteLength - aesBlockBytes
    for (let at = 0; at < aesBlockBytes; at++) mask[at] = (iv[at] ?? 0) ^ (sealed[last + at] ?? 0)
  }
}

export class KeptDecipher {
  readonly #decipher: Decipher
  readonly #correction: Correction

  constructor(key: string, iv: Uint8Array) {
    // Without padding every block comes out at once, and a wrong padding cannot spoil the state.
    this.#decipher = createDecipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
    this.#correction = new Correction(iv)
  }

  /** With its padding. `sealed`: one block or more, whole ones. */
  decrypt(sealed: Uint8Array): Buffer {
    const plain = this.#decipher.update(sealed)
    this.#correction.applyTo(plain)
    this.#correction.noteEnd(sealed)
    return plain
  }
}

export class KeptCipher {
  readonly #cipher: Cipher
  readonly #correction: Correction

  constructor(key: string, iv: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-cbc', key, iv).setAutoPadding(false)
    this.#correction = new Correction(iv)
  }

  /** `plain`: one block or more, whole ones; its first block is changed. */
  encrypt(plain: Uint8Array): Buffer {
    this.#correction.applyTo(plain)
    const sealed = this.#cipher.update(plain)
    this.#correction.noteEnd(sealed)
    return sealed
  }
}
