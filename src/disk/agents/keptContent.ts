/**
 * The content of a large file that is read again and again. What it has in common with the version before is compared through a
 * small buffer, and lines that were added are put after it: so a rewrite of the file takes no memory of the file's size.
 */
import type { Disk } from '../../ports/files.js'
import { readBytes } from '../files/fileHash.js'

/** Room for what is added later: a part of the content, and these bytes. The system gives memory only to what is used of it. */
const roomShare = 1 / 16
const roomBytes = 4_096

const roomyBytes = (size: number): number => size + Math.floor(size * roomShare) + roomBytes

const isSameMemory = (a: Buffer, b: Buffer): boolean => a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length

const none: Buffer = Buffer.alloc(0)

export class KeptContent {
  readonly #buffer: Buffer
  #memory = none
  /** Bytes of the memory that versions consist of. None of them is ever written again: somebody may still have the version. */
  #usedBytes = 0
  #bytes = none

  /** @param bufferBytes how much is compared at a time */
  constructor(bufferBytes = readBytes) {
    this.#buffer = Buffer.allocUnsafeSlow(bufferBytes)
  }

  /** The content of the open file, shorter when it ends before. Good until the next call, and for good once it is kept. */
  read(disk: Disk, file: number, size: number): Buffer {
    const same = this.#sameStart(disk, file, Math.min(size, this.#bytes.length))
    if (same === size) return size === this.#bytes.length ? this.#bytes : this.#bytes.subarray(0, size)
    const isAdded = same === this.#bytes.length && same === this.#usedBytes && size <= this.#memory.length
    const memory = isAdded ? this.#memory : Buffer.allocUnsafeSlow(roomyBytes(size))
    if (!isAdded) this.#bytes.copy(memory, 0, 0, same)
    let length = same
    while (length < size) {
      const count = disk.read(file, memory, length, size - length, length)
      if (count === 0) break
      length += count
    }
    return memory.subarray(0, length)
  }

  /** A version that consists of these parts; those in the place that they have in the version before take no memory. Good as what `read` returns. */
  joined(parts: readonly Buffer[]): Buffer {
    const size = parts.reduce((bytes, part) => bytes + part.length, 0)
    const [first, ...more] = parts
    const isAdded = first === this.#bytes || (first !== undefined && isSameMemory(first, this.#bytes))
    if (!isAdded || this.#bytes.length !== this.#usedBytes || size > this.#memory.length) {
      const memory = Buffer.allocUnsafeSlow(roomyBytes(size))
      let length = 0
      for (const part of parts) length += part.copy(memory, length)
      return memory.subarray(0, length)
    }
    let length = first?.length ?? 0
    for (const part of more) length += part.copy(this.#memory, length)
    return this.#memory.subarray(0, length)
  }

  /** The version that the next one is compared with: what `read` or `joined` has just returned. */
  keep(bytes: Buffer): void {
    const isInMemory = bytes.buffer === this.#memory.buffer
    if (!isInMemory) this.#memory = Buffer.from(bytes.buffer)
    this.#usedBytes = isInMemory ? Math.max(this.#usedBytes, bytes.length) : bytes.length
    this.#bytes = bytes
  }

  /** How many bytes of the file are those of the version before, from the start on; whole pieces only, but for the last one. */
  #sameStart(disk: Disk, file: number, length: number): number {
    let position = 0
    while (position < length) {
      const count = disk.read(file, this.#buffer, 0, Math.min(this.#buffer.length, length - position), position)
      if (count === 0 || this.#buffer.compare(this.#bytes, position, position + count, 0, count) !== 0) break
      position += count
    }
    return position
  }
}
