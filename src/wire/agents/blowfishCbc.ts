/** Blowfish-CBC without padding, of which OpenSSL 3 has only a legacy provider. */
import { Blowfish } from 'egoroof-blowfish'

export const blowfishBlockBytes = 8
const iv = Buffer.from('FEDCBA9876543210', 'hex')
const uint8Array = 1

export class BlowfishCbc {
  readonly #blowfish: Blowfish

  constructor(key: string) {
    // With this padding a whole number of blocks is encrypted as it is.
    this.#blowfish = new Blowfish(key, Blowfish.MODE.CBC, Blowfish.PADDING.NULL)
    this.#blowfish.setIv(iv)
  }

  /** `plain`: whole blocks. */
  encrypt(plain: Uint8Array): Buffer {
    return over(this.#blowfish.encode(plain))
  }

  /** `sealed`: whole blocks. */
  decrypt(sealed: Uint8Array): Buffer {
    // Every padding of the library is cut off at the end. A block more is there to be cut into, and is thrown away.
    const longer = new Uint8Array(sealed.byteLength + blowfishBlockBytes)
    longer.set(sealed)
    return over(this.#blowfish.decode(longer, uint8Array)).subarray(0, sealed.byteLength)
  }
}

const over = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
