/** Memory that bytes are gathered in and that is used again and again: it grows with what is put in, and nothing is allocated per piece. */

export class GrowingBytes {
  /** What is gathered is at its beginning; another one after `reserve`. */
  bytes: Buffer
  length = 0

  constructor(initialBytes: number) {
    this.bytes = Buffer.allocUnsafeSlow(initialBytes)
  }

  /** Makes room for this many more bytes behind `length`. */
  reserve(count: number): void {
    const needed = this.length + count
    if (needed > this.bytes.length) this.#resize(Math.max(needed, 2 * this.bytes.length))
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length)
    this.bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  /** Forgets the first bytes. */
  drop(count: number): void {
    if (count < this.length) this.bytes.copyWithin(0, count, this.length)
    this.length -= count
  }

  /** Gives memory back that a rare burst needed. */
  shrink(keptBytes: number): void {
    if (this.bytes.length > keptBytes && this.length <= keptBytes) this.#resize(keptBytes)
  }

  #resize(size: number): void {
    const bytes = Buffer.allocUnsafeSlow(size)
    this.bytes.copy(bytes, 0, 0, this.length)
    this.bytes = bytes
  }
}
