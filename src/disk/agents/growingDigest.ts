/** The digest of a content that grows at its end (see KeptContent): what was hashed is not hashed again. */
import { createHash } from 'node:crypto'
import type { Digest } from '../../domain/files/treeValues.js'

export class GrowingDigest {
  #bytes: Buffer = Buffer.alloc(0)
  #hash = createHash('sha256')

  /** @param bytes in the memory of the version before only when it begins with that version */
  of(bytes: Buffer): Digest {
    const before = this.#bytes
    const isGrown = bytes.buffer === before.buffer && bytes.byteOffset === before.byteOffset && bytes.length >= before.length
    if (!isGrown) this.#hash = createHash('sha256')
    this.#hash.update(isGrown ? bytes.subarray(before.length) : bytes)
    this.#bytes = bytes
    return this.#hash.copy().digest('hex')
  }
}
