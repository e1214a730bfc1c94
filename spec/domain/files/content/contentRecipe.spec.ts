import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../../src/base/limits.js'
import { averageBitsMin, chunkBytesMax } from '../../../../src/domain/files/content/contentChunks.js'
import {
  bytesIn,
  decodeRanges,
  encodeRanges,
  placesIn,
  rangesOver,
  recipeRow,
  recipeRowBytes,
} from '../../../../src/domain/files/content/contentRecipe.js'

const recipeOf = (chunks: readonly Uint8Array[]): { averageBits: number; chunks: Uint8Array } => ({
  averageBits: averageBitsMin,
  chunks: Buffer.concat(chunks.map((chunk) => recipeRow(chunk))),
})
const chunks = fc.array(fc.uint8Array({ minLength: 1, maxLength: 3 }), { maxLength: 20 })
const total = (parts: readonly Uint8Array[]): number => parts.reduce((sum, part) => sum + part.length, 0)
const codeOf = (result: ReturnType<typeof placesIn> | ReturnType<typeof decodeRanges>): string => (result.ok ? 'ok' : result.error.code)

describe('a recipe', () => {
  it('has a place for every byte of the content, and no two for any', () =>
    fc.assert(
      fc.property(chunks, (parts) => {
        const places = placesIn(recipeOf(parts), total(parts))
        if (!places.ok) throw places.error
        const taken = [...places.value.values()].flat().flatMap(({ length, offset }) => Array.from({ length }, (_, i) => offset + i))
        expect(taken.sort((one, other) => one - other)).toEqual(Array.from({ length: total(parts) }, (_, i) => i))
      }),
    ))

  it('is refused when it is cut off, too long, of another size, or of impossible chunks', () => {
    const parts = [Buffer.from('one'), Buffer.from('two')]
    const recipe = recipeOf(parts)
    const row = (length: number): Uint8Array => {
      const bytes = Buffer.alloc(recipeRowBytes)
      bytes.writeUInt32BE(length, recipeRowBytes - 4)
      return bytes
    }
    const refused = [
      placesIn({ ...recipe, chunks: recipe.chunks.subarray(1) }, 6),
      placesIn(recipe, 5),
      placesIn(recipe, 7),
      placesIn({ ...recipe, averageBits: 0 }, 6),
      placesIn({ ...recipe, averageBits: 32 }, 6),
      placesIn({ ...recipe, averageBits: 10.5 }, 6),
      placesIn({ ...recipe, chunks: row(0) }, 0),
      placesIn({ ...recipe, chunks: row(chunkBytesMax(averageBitsMin) + 1) }, chunkBytesMax(averageBitsMin) + 1),
      placesIn({ ...recipe, chunks: Buffer.concat([row(1), row(2)]) }, 3),
      placesIn({ ...recipe, chunks: new Uint8Array((limits.recipeChunksMax + 1) * recipeRowBytes) }, 0),
    ]
    expect(refused.map(codeOf)).toEqual(refused.map(() => 'malformed'))
    expect(codeOf(placesIn(recipe, 6))).toBe('ok')
  })
})

describe('ranges', () => {
  it('cover the places that they are made of, and nothing else, with a gap between any two', () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(60)), (offsets) => {
        const ranges = rangesOver(offsets.map((offset) => ({ offset, length: 1 })))
        const covered = ranges.flatMap(({ end, start }) => Array.from({ length: end - start }, (_, i) => start + i))
        expect(covered).toEqual([...offsets].sort((one, other) => one - other))
        expect(ranges.every(({ start }, index) => index === 0 || start > (ranges[index - 1]?.end ?? 0))).toBe(true)
        expect(bytesIn(ranges)).toBe(offsets.length)
        if (ranges.length > 0) expect(decodeRanges(encodeRanges(ranges))).toEqual({ ok: true, value: ranges })
      }),
    ))

  it('are refused when missing, cut off, too many, empty, out of order, overlapping or out of bounds', () => {
    const refused = [
      new Uint8Array(0),
      encodeRanges([{ start: 0, end: 1 }]).subarray(1),
      encodeRanges(Array.from({ length: limits.patchRangesMax + 1 }, (_, i) => ({ start: 2 * i, end: 2 * i + 1 }))),
      encodeRanges([{ start: 1, end: 1 }]),
      encodeRanges([
        { start: 5, end: 6 },
        { start: 0, end: 1 },
      ]),
      encodeRanges([
        { start: 0, end: 2 },
        { start: 1, end: 3 },
      ]),
      encodeRanges([{ start: limits.deltaBytesMax, end: limits.deltaBytesMax + 1 }]),
      Buffer.alloc(8, 0xff),
    ]
    expect(refused.map((bytes) => codeOf(decodeRanges(bytes)))).toEqual(refused.map(() => 'malformed'))
  })
})
