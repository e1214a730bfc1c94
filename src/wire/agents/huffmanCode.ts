/** A canonical Huffman code of deflate, built again and again in the same memory: short codes are found in a table, long ones bit by bit. */

const codeBitsMax = 15
const tableBitsMax = 10
const symbolsMax = 288

/** Each number of `tableBitsMax` bits with its bits the other way round: codes stand in a stream with the first bit lowest. */
const reversed = new Uint16Array(1 << tableBitsMax)
for (let code = 0; code < reversed.length; code++)
  for (let bit = 0; bit < tableBitsMax; bit++)
    if (code & (1 << bit)) reversed[code] = (reversed[code] ?? 0) | (1 << (tableBitsMax - 1 - bit))

export class HuffmanCode {
  /** By the next bits: symbol and length of the code, `symbol << 4 | length`; 0 when the code is longer, or is not used. */
  readonly table = new Uint16Array(1 << tableBitsMax)
  /** Of the bits that the table is asked by. */
  mask = 0
  readonly #counts = new Uint16Array(codeBitsMax + 1)
  readonly #symbols = new Uint16Array(symbolsMax)
  readonly #starts = new Uint16Array(codeBitsMax + 2)

  /**
   * Of the lengths of codes. False for lengths that make no code; one with a single code of one bit is allowed, as zlib has it.
   *
   * @param places where there is a length, in order: most symbols have none
   * @param from the first of the places, and `end` behind the last one
   * @param base the place of the first symbol
   */
  build(lengths: Uint8Array, places: Uint16Array, from: number, end: number, base: number, allowsPart: boolean): boolean {
    const counts = this.#counts.fill(0)
    for (let at = from; at < end; at++) {
      const bits = lengths[places[at] ?? 0] ?? 0
      counts[bits] = (counts[bits] ?? 0) + 1
    }
    let longest = codeBitsMax
    while (longest > 0 && counts[longest] === 0) longest--
    let left = 1
    for (let bits = 1; bits <= codeBitsMax; bits++) {
      left = 2 * left - (counts[bits] ?? 0)
      if (left < 0) return false
    }
    const starts = this.#starts.fill(0)
    for (let bits = 1; bits <= codeBitsMax; bits++) starts[bits + 1] = (starts[bits] ?? 0) + (counts[bits] ?? 0)
    for (let at = from; at < end; at++) {
      const place = places[at] ?? 0
      const bits = lengths[place] ?? 0
      const index = starts[bits] ?? 0
      this.#symbols[index] = place - base
      starts[bits] = index + 1
    }
    this.#fill(longest)
    return left === 0 || (allowsPart && longest <= 1)
  }

  /** For a code that the table has not: `symbol << 4 | length`, or 0. `hold`: at least `codeBitsMax` bits. */
  find(hold: number): number {
    let code = 0
    let first = 0
    let index = 0
    for (let bits = 1; bits <= codeBitsMax; bits++) {
      code |= (hold >>> (bits - 1)) & 1
      const count = this.#counts[bits] ?? 0
      if (code - count < first) return ((this.#symbols[index + code - first] ?? 0) << 4) | bits
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    return 0
  }

  #fill(longest: number): void {
    const tableBits = Math.min(Math.max(longest, 1), tableBitsMax)
    const size = 1 << tableBits
    this.mask = size - 1
    const table = this.table.fill(0, 0, size)
    let code = 0
    let index = 0
    for (let bits = 1; bits <= tableBits; bits++, code <<= 1)
      for (let count = this.#counts[bits] ?? 0; count > 0; count--, code++) {
        const entry = ((this.#symbols[index++] ?? 0) << 4) | bits
        for (let at = (reversed[code] ?? 0) >> (tableBitsMax - bits); at < size; at += 1 << bits) table[at] = entry
      }
  }
}
