/**
 * Cuts content into chunks where the content itself says so (FastCDC over a gear hash), so that two versions of a file that
 * differ in a few places have all other chunks in common, wherever an insertion has moved them to. Part of the protocol:
 * both sides must cut alike, so nothing here may change but under a new capability.
 */
import { createHash } from 'node:crypto'

/** A chunk is about 2 ** averageBits bytes long; the shortest but the last is a quarter of that, the longest four times. */
export const averageBitsMin = 10
export const averageBitsMax = 17

export const chunkBytesMax = (averageBits: number): number => 4 * 2 ** averageBits

/**
 * A change costs a row for every chunk of the recipe and the chunk that it falls into: with rows of 20 bytes and chunks that
 * pack to about two thirds, the sum is least at the square root of 14 times the size.
 */
export const averageBitsFor = (bytes: number): number =>
  Math.min(averageBitsMax, Math.max(averageBitsMin, Math.round(Math.log2(Math.sqrt(14 * bytes)))))

/** One random number for each value of a byte. */
const gear: Int32Array = ((): Int32Array => {
  const random = createHash('shake256', { outputLength: 1_024 }).update('muster content chunks').digest()
  return Int32Array.from({ length: 256 }, (_, byte) => random.readInt32LE(byte * 4))
})()

/** The highest `count` bits: those on which most bytes before have had a say. */
const highBits = (count: number): number => -1 << (32 - count)

export class ContentChunker {
  readonly #take: (chunk: Uint8Array) => void
  readonly #known: (bytes: Uint8Array) => number | undefined
  readonly #bytesMin: number
  readonly #bytesNormal: number
  readonly #bytesMax: number
  /** Cuts are made less likely before the average length and more likely after it, so that lengths stay near it. */
  readonly #strict: number
  readonly #loose: number
  /** The start of a chunk that goes on in what is pushed next. */
  readonly #begun: Uint8Array
  #begunBytes = 0
  #hash = 0

  /**
   * @param averageBits from `averageBitsMin` to `averageBitsMax`
   * @param take gets each chunk in order; its bytes are only good during the call
   * @param known the length of the chunk that the bytes begin with, where it is known (see KnownChunks)
   */
  constructor(averageBits: number, take: (chunk: Uint8Array) => void, known: (bytes: Uint8Array) => number | undefined = () => undefined) {
    this.#take = take
    this.#known = known
    this.#bytesNormal = 2 ** averageBits
    this.#bytesMin = this.#bytesNormal / 4
    this.#bytesMax = chunkBytesMax(averageBits)
    this.#strict = highBits(averageBits + 2)
    this.#loose = highBits(averageBits - 2)
    this.#begun = new Uint8Array(this.#bytesMax)
  }

  /** Where the content is split between the calls makes no difference. */
  push(bytes: Uint8Array): void {
    let start = 0
    for (let end = this.#end(bytes, start); end !== undefined; end = this.#end(bytes, start)) {
      this.#give(bytes.subarray(start, end))
      start = end
    }
    const rest = bytes.subarray(start)
    this.#begun.set(rest, this.#begunBytes)
    this.#begunBytes += rest.length
  }

  /** The content ends here. */
  finish(): void {
    if (this.#begunBytes > 0) this.#give(new Uint8Array(0))
  }

  #give(bytes: Uint8Array): void {
    const begunBytes = this.#begunBytes
    this.#begunBytes = 0
    this.#hash = 0
    if (begunBytes === 0) {
      this.#take(bytes)
      return
    }
    this.#begun.set(bytes, begunBytes)
    this.#take(this.#begun.subarray(0, begunBytes + bytes.length))
  }

  #end(bytes: Uint8Array, start: number): number | undefined {
    const known = this.#begunBytes === 0 ? this.#known(bytes.subarray(start)) : undefined
    return known === undefined ? this.#cut(bytes, start) : start + known
  }

  /** Where in `bytes` the chunk ends that goes on at `start`; undefined when it goes on beyond them. */
  #cut(bytes: Uint8Array, start: number): number | undefined {
    const origin = start - this.#begunBytes
    // `| 0`: V8 must know that these are integers, or the loops below take four times as long.
    const end = Math.min(bytes.length, origin + this.#bytesMax) | 0
    let at = Math.max(start, Math.min(end, origin + this.#bytesMin)) | 0
    const middle = Math.max(at, Math.min(end, origin + this.#bytesNormal)) | 0
    const strict = this.#strict
    const loose = this.#loose
    let hash = this.#hash
    while (at < middle) {
      hash = ((hash << 1) + (gear[bytes[at++] ?? 0] ?? 0)) | 0
      if ((hash & strict) === 0) return at
    }
    while (at < end) {
      hash = ((hash << 1) + (gear[bytes[at++] ?? 0] ?? 0)) | 0
      if ((hash & loose) === 0) return at
    }
    this.#hash = hash
    return end === origin + this.#bytesMax ? end : undefined
  }
}
