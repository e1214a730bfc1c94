/** Gathers the bytes of a connection until its first line is whole; what follows the line is not wanted. */
import { bufferOver } from '../../base/bytes.js'

const newline = 0x0a

export type Gathered =
  | { readonly kind: 'partial' }
  /** Without its newline, one character a byte. */
  | { readonly kind: 'line'; readonly line: string }
  | { readonly kind: 'tooLong' }

const partial: Gathered = { kind: 'partial' }

export class LineBuffer {
  readonly #bytesMax: number
  /** Grows by doubling, so that a line that comes byte by byte costs no more than one that comes at once. */
  #bytes = Buffer.alloc(0)
  #length = 0

  /** @param bytesMax of a line with its newline */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  /** Call it no more once it answered with anything but `partial`. */
  add(more: Uint8Array): Gathered {
    const at = more.indexOf(newline)
    const length = at < 0 ? more.length : at
    if (this.#length + length + (at < 0 ? 0 : 1) > this.#bytesMax) return { kind: 'tooLong' }
    if (at >= 0 && this.#length === 0) return { kind: 'line', line: bufferOver(more).toString('latin1', 0, at) }
    this.#append(more.subarray(0, length))
    return at < 0 ? partial : { kind: 'line', line: this.#bytes.toString('latin1', 0, this.#length) }
  }

  #append(more: Uint8Array): void {
    const needed = this.#length + more.length
    if (needed > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.min(this.#bytesMax, Math.max(needed, 2 * this.#bytes.length)))
      this.#bytes.copy(larger, 0, 0, this.#length)
      this.#bytes = larger
    }
    this.#bytes.set(more, this.#length)
    this.#length = needed
  }
}
