/**
 * Finds chunks of a content by the recipe of another one that is nearly the same. Where a chunk ends depends on nothing but the bytes
 * from its start on: so where the bytes of a known chunk stand, hashing them once gives its end and its row, and the rest of the
 * work of the chunker is saved.
 */
import { bufferOver } from '../../../base/bytes.js'
import { type ContentRecipe, chunkKey, chunkKeyBytes, recipeRowBytes } from './contentRecipe.js'

export class KnownChunks {
  readonly #rows: Buffer
  /** The row after the one with the key. */
  readonly #after = new Map<string, number>()
  /** Where the row is that probably comes next. */
  #next: number | undefined = 0
  /** Of the chunk that was found last. */
  #foundKey: string | undefined

  /** @param recipe of the chunker that uses this: cut with the same average */
  constructor({ chunks }: ContentRecipe) {
    // The last chunk ends where its content does, which says nothing about another content.
    this.#rows = bufferOver(chunks).subarray(0, Math.max(0, chunks.length - recipeRowBytes))
    for (let at = 0; at < this.#rows.length; at += recipeRowBytes) this.#after.set(this.#keyAt(at), at + recipeRowBytes)
  }

  /** The length of the chunk that the bytes begin with; undefined when it is not known, or they end before it does. */
  lengthAt(bytes: Uint8Array): number | undefined {
    const at = this.#next
    if (at === undefined || at >= this.#rows.length) return undefined
    const length = this.#rows.readUInt32BE(at + chunkKeyBytes)
    if (length > bytes.length) return undefined
    const key = chunkKey(bytes.subarray(0, length))
    if (key === this.#keyAt(at)) {
      this.#foundKey = key
      return length
    }
    this.#next = undefined
    return undefined
  }

  /** The key of the chunk that comes next in the content, whether or not it was found here. */
  keyOf(chunk: Uint8Array): string {
    const key = this.#foundKey ?? chunkKey(chunk)
    this.#foundKey = undefined
    const isNext = this.#next !== undefined && this.#next < this.#rows.length && this.#keyAt(this.#next) === key
    this.#next = isNext && this.#next !== undefined ? this.#next + recipeRowBytes : this.#after.get(key)
    return key
  }

  #keyAt(at: number): string {
    return this.#rows.toString('latin1', at, at + chunkKeyBytes)
  }
}
