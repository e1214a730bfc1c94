import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  averageBitsFor,
  averageBitsMax,
  averageBitsMin,
  ContentChunker,
  chunkBytesMax,
} from '../../../../src/domain/files/content/contentChunks.js'

const cut = (averageBits: number, parts: readonly Uint8Array[]): Buffer[] => {
  const chunks: Buffer[] = []
  const chunker = new ContentChunker(averageBits, (chunk) => chunks.push(Buffer.from(chunk)))
  for (const part of parts) chunker.push(part)
  chunker.finish()
  return chunks
}

/** Content with random, repeated, constant and text parts in turn. */
const content = fc
  .array(
    fc.oneof(
      fc.tuple(fc.constant('noise'), fc.nat(), fc.integer({ min: 0, max: 60_000 })),
      fc.tuple(fc.constant('same'), fc.nat(255), fc.integer({ min: 0, max: 20_000 })),
    ),
    { maxLength: 5 },
  )
  .map((parts) =>
    Buffer.concat(
      parts.map(([kind, seed, bytes]) =>
        kind === 'same' ? Buffer.alloc(bytes, seed) : createHash('shake256', { outputLength: bytes }).update(`${seed}`).digest(),
      ),
    ),
  )
const averageBits = fc.integer({ min: averageBitsMin, max: 13 })
const noise = (bytes: number): Buffer => createHash('shake256', { outputLength: bytes }).update('content').digest()
const keysOf = (chunks: readonly Buffer[]): Set<string> => new Set(chunks.map((chunk) => chunk.toString('latin1')))

describe('chunks of content', () => {
  it('join to the content; none is too long, and only the last may be too short', () =>
    fc.assert(
      fc.property(content, averageBits, (bytes, bits) => {
        const chunks = cut(bits, [bytes])
        expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
        expect(chunks.every((chunk) => chunk.length > 0 && chunk.length <= chunkBytesMax(bits))).toBe(true)
        expect(chunks.slice(0, -1).every((chunk) => chunk.length > 2 ** bits / 4)).toBe(true)
      }),
    ))

  it('are the same, wherever the content is split when it comes in', () =>
    fc.assert(
      fc.property(content, averageBits, fc.array(fc.nat(100_000), { maxLength: 30 }), (bytes, bits, splits) => {
        const at = [0, ...splits.sort((one, other) => one - other), bytes.length]
        const parts = at.slice(1).map((end, index) => bytes.subarray(at[index], end))
        expect(cut(bits, parts).map((chunk) => chunk.length)).toEqual(cut(bits, [bytes]).map((chunk) => chunk.length))
      }),
    ))

  it('are the same when the content comes byte by byte', () => {
    const bytes = noise(9_000)
    const single = Array.from(bytes, (byte) => Uint8Array.of(byte))
    expect(cut(averageBitsMin, single)).toEqual(cut(averageBitsMin, [bytes]))
  })

  it('are nearly all kept by an edit, wherever it is and whatever it does to the length', () =>
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(2_000), fc.uint8Array({ maxLength: 2_000 }), (at, removed, inserted) => {
        const before = noise(200_000)
        const after = Buffer.concat([before.subarray(0, at), inserted, before.subarray(Math.min(before.length, at + removed))])
        const known = keysOf(cut(averageBitsMin, [before]))
        const fresh = cut(averageBitsMin, [after]).filter((chunk) => !known.has(chunk.toString('latin1')))
        const freshBytes = fresh.reduce((sum, chunk) => sum + chunk.length, 0)
        expect(freshBytes).toBeLessThan(inserted.length + removed + 16 * 2 ** averageBitsMin)
      }),
    ))

  it('are about as long as they are meant to be', () => {
    const bytes = noise(2_000_000)
    for (const bits of [10, 12, 14]) {
      const average = bytes.length / cut(bits, [bytes]).length
      expect(average).toBeGreaterThan(2 ** bits * 0.7)
      expect(average).toBeLessThan(2 ** bits * 1.5)
    }
  })

  // Nodes of different versions must cut at the same places: a change here needs a new capability.
  it('are cut where they always were', () => {
    const lengths = cut(10, [noise(100_000)]).map((chunk) => chunk.length)
    expect(createHash('sha256').update(lengths.join()).digest('hex')).toMatchInlineSnapshot(
      `"f8ffad46fbc8a00a10b89be5470a855d24ac3a1f93bc0afc9d3119b29d8b9188"`,
    )
  })

  it('grow with the content, within bounds', () => {
    expect([0, 65_536, 1_000_000, 8_500_000, 128 * 2 ** 20, 2 ** 50].map(averageBitsFor)).toEqual([10, 10, 12, 13, 15, averageBitsMax])
  })
})
