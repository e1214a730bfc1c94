import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { averageBitsMin, ContentChunker } from '../../../../src/domain/files/content/contentChunks.js'
import { type ContentRecipe, recipeRow } from '../../../../src/domain/files/content/contentRecipe.js'
import { KnownChunks } from '../../../../src/domain/files/content/knownChunks.js'
import { noise } from '../../../support/files/editedContent.js'

const recipeOf = (content: Uint8Array): ContentRecipe => {
  const rows: Uint8Array[] = []
  const chunker = new ContentChunker(averageBitsMin, (chunk) => rows.push(recipeRow(chunk)))
  chunker.push(content)
  chunker.finish()
  return { averageBits: averageBitsMin, chunks: Uint8Array.from(Buffer.concat(rows)) }
}

/** The recipe of the content by that of another, and how many of its chunks were found. */
const recipeBy = (earlier: ContentRecipe, content: Uint8Array, partBytes: number) => {
  const known = new KnownChunks(earlier)
  const rows: Uint8Array[] = []
  let found = 0
  const take = (chunk: Uint8Array): unknown => rows.push(recipeRow(chunk, known.keyOf(chunk)))
  const chunker = new ContentChunker(averageBitsMin, take, (bytes) => {
    const length = known.lengthAt(bytes)
    if (length !== undefined) found += 1
    return length
  })
  for (let at = 0; at < content.length; at += partBytes) chunker.push(content.subarray(at, at + partBytes))
  chunker.finish()
  return { recipe: { averageBits: averageBitsMin, chunks: Uint8Array.from(Buffer.concat(rows)) }, found, chunks: rows.length }
}

/** Contents that have pieces in common, in any order, some repeated. */
const pieces = Array.from({ length: 4 }, (_, index) => noise(index, 9_000 * index + 3_000))
const content = fc
  .array(fc.tuple(fc.nat(3), fc.nat(2_000), fc.nat(2_000)), { maxLength: 5 })
  .map((parts) => Buffer.concat(parts.map(([piece, from, less]) => pieces[piece]?.subarray(from, -1 - less) ?? Buffer.alloc(0))))

describe('chunks that are known from another content', () => {
  it('are cut as without it, whatever both contents are', () =>
    fc.assert(
      fc.property(content, content, fc.integer({ min: 100, max: 60_000 }), (before, after, partBytes) => {
        expect(recipeBy(recipeOf(before), after, partBytes).recipe).toEqual(recipeOf(after))
      }),
    ))

  it('are nearly all found after an edit anywhere', () =>
    fc.assert(
      fc.property(fc.nat(200_000), fc.nat(20), fc.nat(20), (at, removed, added) => {
        const before = noise(9, 200_000)
        const after = Buffer.concat([before.subarray(0, at), Buffer.alloc(added, 'x'), before.subarray(at + removed)])
        const { chunks, found } = recipeBy(recipeOf(before), after, after.length)
        expect(found / chunks).toBeGreaterThan(0.8)
      }),
      { numRuns: 30 },
    ))
})
