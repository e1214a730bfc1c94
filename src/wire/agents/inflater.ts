/**
 * Inflates short zlib streams (RFC 1950, 1951) into a buffer that is there, and never more than fits: a stream that would grow to
 * gigabytes costs what the buffer costs. Node's zlib makes an object, a window and a result for each, which is most of its time; here
 * nothing is made. The checksum is left out: messages have a better one.
 */
import { HuffmanCode } from './huffmanCode.js'

/** It is not a zlib stream, or is cut off. */
export const notDeflated = -1
/** It would not fit. */
export const tooMuch = -2

const checksumBytes = 4
/** With at most this many bits in hand two bytes more are read: never over 30, so that the number stays a small one. */
const refillBits = 14
/** Bytes in hand that are not used; who has read further than this behind the end has used what is not there. */
const aheadBytesMax = 2
/** Zeros behind the source, so that nobody needs to ask for its end before each byte. */
const behindBytes = 16
const endOfBlock = 256
/** Of a code's table: smaller ones are bytes. */
const entriesOfBytes = endOfBlock << 4
const codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
const literalsMax = 286
const distancesMax = 30

/** Of the symbols above `endOfBlock`, and of distances: the least that they mean, and the bits that are added to it. */
const lengthBases = new Uint16Array([
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
])
const lengthBits = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0])
const distanceBases = new Uint16Array(distancesMax)
const distanceBits = new Uint8Array(distancesMax)
for (let symbol = 0, base = 1; symbol < distancesMax; symbol++) {
  distanceBits[symbol] = Math.max(0, (symbol >> 1) - 1)
  distanceBases[symbol] = base
  base += 1 << (distanceBits[symbol] ?? 0)
}

const everyPlace = Uint16Array.from({ length: 288 }, (_, place) => place)
const codeOf = (lengths: Uint8Array): HuffmanCode => {
  const code = new HuffmanCode()
  code.build(lengths, everyPlace, 0, lengths.length, 0, true)
  return code
}
const fixedLiterals = codeOf(new Uint8Array(288).fill(8, 0, 144).fill(9, 144, 256).fill(7, 256, 280).fill(8, 280))
const fixedDistances = codeOf(new Uint8Array(32).fill(5))

export class Inflater {
  /** The source and zeros. */
  #source = new Uint8Array(1024)
  #end = 0
  #at = 0
  /** Bits that were read and not used, the first lowest. */
  #hold = 0
  #bits = 0
  readonly #literals = new HuffmanCode()
  readonly #distances = new HuffmanCode()
  readonly #lengthCode = new HuffmanCode()
  readonly #lengths = new Uint8Array(literalsMax + distancesMax)
  /** Where `#lengths` has one, and how many of them are of literals. */
  readonly #places = new Uint16Array(literalsMax + distancesMax)
  #placesOfLiterals = 0
  #placesOfAll = 0
  readonly #ownLengths = new Uint8Array(codeLengthOrder.length)
  readonly #ownPlaces = new Uint16Array(codeLengthOrder.length)

  /** `source` from `from` on. Returns how many bytes were written, `notDeflated` or `tooMuch`; whatever follows the stream is left out. */
  inflate(target: Uint8Array, source: Uint8Array, from: number): number {
    const first = source[from] ?? 0
    const second = source[from + 1] ?? 0
    if ((first & 0x0f) !== 8 || first >> 4 > 7 || (second & 0x20) !== 0 || ((first << 8) | second) % 31 !== 0) return notDeflated
    this.#load(source, from + 2)
    this.#hold = 0
    this.#bits = 0
    let written = 0
    for (let isLast = false; !isLast; ) {
      isLast = this.#take(1) === 1
      written = this.#block(target, written)
      if (written < 0) return written
    }
    return this.#usedBytes() + checksumBytes > this.#end ? notDeflated : written
  }

  #load(source: Uint8Array, from: number): void {
    const bytes = Math.max(0, source.byteLength - from)
    if (bytes + behindBytes > this.#source.byteLength) this.#source = new Uint8Array(2 * bytes + behindBytes)
    for (let at = 0; at < bytes; at++) this.#source[at] = source[from + at] ?? 0
    this.#source.fill(0, bytes, bytes + behindBytes)
    this.#end = bytes
    this.#at = 0
  }

  #block(target: Uint8Array, written: number): number {
    switch (this.#take(2)) {
      case 0:
        return this.#stored(target, written)
      case 1:
        return this.#compressed(target, written, fixedLiterals, fixedDistances)
      case 2:
        return this.#readCodes() ? this.#compressed(target, written, this.#literals, this.#distances) : notDeflated
      default:
        return notDeflated
    }
  }

  /** How far the source is used up, in whole bytes. */
  #usedBytes(): number {
    return this.#at - (this.#bits >> 3)
  }

  /** At most 16 bits. Behind the end there are zeros; who reads them finds out by #usedBytes. */
  #take(count: number): number {
    while (this.#bits < count) {
      this.#hold |= (this.#source[this.#at++] ?? 0) << this.#bits
      this.#bits += 8
    }
    const taken = this.#hold & ((1 << count) - 1)
    this.#hold >>>= count
    this.#bits -= count
    return taken
  }

  #stored(target: Uint8Array, written: number): number {
    const from = this.#usedBytes()
    this.#hold = 0
    this.#bits = 0
    this.#at = from
    const size = this.#take(16)
    if (this.#take(16) !== (size ^ 0xffff)) return notDeflated
    const start = this.#at
    if (start + size > this.#end) return notDeflated
    if (written + size > target.byteLength) return tooMuch
    target.set(this.#source.subarray(start, start + size), written)
    this.#at = start + size
    return written + size
  }

  #readCodes(): boolean {
    const literals = this.#take(5) + 257
    const distances = this.#take(5) + 1
    const own = this.#take(4) + 4
    if (literals > literalsMax || distances > distancesMax) return false
    const ownLengths = this.#ownLengths.fill(0)
    for (let index = 0; index < own; index++) ownLengths[codeLengthOrder[index] ?? 0] = this.#take(3)
    let places = 0
    for (let place = 0; place < ownLengths.length; place++) if (ownLengths[place] !== 0) this.#ownPlaces[places++] = place
    if (!this.#lengthCode.build(ownLengths, this.#ownPlaces, 0, places, 0, false)) return false
    if (!this.#readLengths(literals, literals + distances)) return false
    return (
      this.#lengths[endOfBlock] !== 0 &&
      this.#literals.build(this.#lengths, this.#places, 0, this.#placesOfLiterals, 0, true) &&
      this.#distances.build(this.#lengths, this.#places, this.#placesOfLiterals, this.#placesOfAll, literals, true)
    )
  }

  #readLengths(literals: number, count: number): boolean {
    const source = this.#source
    const lengths = this.#lengths.fill(0)
    const places = this.#places
    const { mask, table } = this.#lengthCode
    const endMax = this.#end + aheadBytesMax
    let at = this.#at
    let hold = this.#hold
    let bits = this.#bits
    let found = 0
    let foundOfLiterals = 0
    for (let index = 0; index < count; ) {
      // A code has 7 bits at most, and 7 that are added to it.
      if (bits <= refillBits) {
        if (at > endMax) return false
        hold |= ((source[at] ?? 0) | ((source[at + 1] ?? 0) << 8)) << bits
        at += 2
        bits += 16
      }
      const entry = table[hold & mask] ?? 0
      if (entry === 0) return false
      hold >>>= entry & 15
      bits -= entry & 15
      const symbol = entry >> 4
      if (symbol < 16) {
        if (symbol > 0) {
          places[found++] = index
          if (index < literals) foundOfLiterals = found
        }
        lengths[index++] = symbol
        continue
      }
      if (symbol === 16 && index === 0) return false
      const length = symbol === 16 ? (lengths[index - 1] ?? 0) : 0
      const added = symbol === 16 ? 2 : symbol === 17 ? 3 : 7
      const last = index + (symbol === 18 ? 11 : 3) + (hold & ((1 << added) - 1))
      hold >>>= added
      bits -= added
      if (last > count) return false
      if (length === 0) index = last
      for (; index < last; index++) {
        lengths[index] = length
        places[found++] = index
        if (index < literals) foundOfLiterals = found
      }
    }
    this.#at = at
    this.#hold = hold
    this.#bits = bits
    this.#placesOfLiterals = foundOfLiterals
    this.#placesOfAll = found
    return true
  }

  /** The hot loop: everything that changes is local. */
  #compressed(target: Uint8Array, from: number, literals: HuffmanCode, distances: HuffmanCode): number {
    const source = this.#source
    const endMax = this.#end + aheadBytesMax
    const room = target.byteLength
    const { mask, table } = literals
    let at = this.#at
    let hold = this.#hold
    let bits = this.#bits
    let written = from
    for (;;) {
      if (bits <= refillBits) {
        if (at > endMax) return notDeflated
        hold |= ((source[at] ?? 0) | ((source[at + 1] ?? 0) << 8)) << bits
        at += 2
        bits += 16
      }
      let entry = table[hold & mask] || literals.find(hold)
      if (entry === 0) return notDeflated
      hold >>>= entry & 15
      bits -= entry & 15
      if (entry < entriesOfBytes) {
        if (written === room) return tooMuch
        target[written++] = entry >> 4
        continue
      }
      const symbol = entry >> 4
      if (symbol === endOfBlock) break
      const added = lengthBits[symbol - 257]
      if (added === undefined) return notDeflated
      if (bits <= refillBits) {
        hold |= ((source[at] ?? 0) | ((source[at + 1] ?? 0) << 8)) << bits
        at += 2
        bits += 16
      }
      const length = (lengthBases[symbol - 257] ?? 0) + (hold & ((1 << added) - 1))
      hold >>>= added
      bits -= added
      if (bits <= refillBits) {
        hold |= ((source[at] ?? 0) | ((source[at + 1] ?? 0) << 8)) << bits
        at += 2
        bits += 16
      }
      entry = distances.table[hold & distances.mask] || distances.find(hold)
      hold >>>= entry & 15
      bits -= entry & 15
      const more = distanceBits[entry >> 4]
      if (entry === 0 || more === undefined) return notDeflated
      if (bits <= refillBits) {
        hold |= ((source[at] ?? 0) | ((source[at + 1] ?? 0) << 8)) << bits
        at += 2
        bits += 16
      }
      const distance = (distanceBases[entry >> 4] ?? 0) + (hold & ((1 << more) - 1))
      hold >>>= more
      bits -= more
      if (distance > written || at - (bits >> 3) > this.#end) return notDeflated
      if (written + length > room) return tooMuch
      for (const last = written + length; written < last; written++) target[written] = target[written - distance] ?? 0
    }
    this.#at = at
    this.#hold = hold
    this.#bits = bits
    return written
  }
}
