import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeEntries,
  type EntryColumns,
  encodeEntries,
  entryWireBytes,
  joinDigests,
  joinPaths,
  splitDigests,
  splitPaths,
} from '../../../src/domain/files/entryColumns.js'
import { checkPath } from '../../../src/domain/files/paths.js'
import { entries, synced, syncedPaths, trees } from '../../support/files/treeArbitraries.js'

/** Columns from an untrusted peer: any bytes, or valid ones with something changed. */
const anyColumns: fc.Arbitrary<EntryColumns> = fc.record({
  paths: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.oneof(syncedPaths, fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom('../x', '/etc/shared/a', 'etc/shared/../x')),
        { maxLength: 5 },
      )
      .map(joinPaths),
  ),
  digests: fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.nat(5).map((count) => new Uint8Array(32 * count)),
  ),
  sizes: fc.oneof(
    fc.uint8Array({ maxLength: 48 }),
    fc.nat(5).map((count) => new Uint8Array(8 * count).fill(255)),
    fc.nat(5).map((count) => new Uint8Array(8 * count)),
  ),
  modes: fc.oneof(
    fc.uint8Array({ maxLength: 12 }),
    fc.nat(5).map((count) => new Uint8Array(2 * count)),
  ),
})

describe('entry columns', () => {
  it('are read as the entries that were written', () =>
    fc.assert(
      fc.property(trees(entries), (tree) => {
        expect(decodeEntries(encodeEntries(tree), synced)).toEqual({ ok: true, value: tree })
      }),
    ))

  it('are read in the same way when they lie within a larger buffer, as they do in a frame', () =>
    fc.assert(
      fc.property(trees(entries), fc.nat(9), (tree, offset) => {
        const shifted = (bytes: Uint8Array): Uint8Array => {
          const frame = new Uint8Array(bytes.byteLength + 2 * offset).fill(7)
          frame.set(bytes, offset)
          return frame.subarray(offset, offset + bytes.byteLength)
        }
        const { paths, digests, sizes, modes } = encodeEntries(tree)
        const columns = { paths, digests: shifted(digests), sizes: shifted(sizes), modes: shifted(modes) }
        expect(decodeEntries(columns, synced)).toEqual({ ok: true, value: tree })
      }),
    ))

  it('are refused, or are entries with different safe paths and possible sizes, whatever bytes they are', () =>
    fc.assert(
      fc.property(anyColumns, (columns) => {
        const decoded = decodeEntries(columns, synced)
        if (!decoded.ok) {
          expect(['malformed', 'pathRefused']).toContain(decoded.error.code)
          return
        }
        expect(new Set(decoded.value.map((entry) => entry.path)).size).toBe(decoded.value.length)
        for (const { path, size, mode, digest } of decoded.value) {
          expect(checkPath(synced, path).ok).toBe(true)
          expect(Number.isSafeInteger(size) && size >= 0).toBe(true)
          expect(mode >= 0 && mode <= 0xffff).toBe(true)
          expect(digest).toMatch(/^[0-9a-f]{64}$/)
        }
      }),
      { numRuns: 300 },
    ))

  it('are refused when any column is a byte longer or shorter than the others say', () =>
    fc.assert(
      fc.property(trees(entries), fc.constantFrom('digests', 'sizes', 'modes'), fc.boolean(), (tree, column, longer) => {
        const columns = encodeEntries(tree)
        const bytes = columns[column]
        fc.pre(longer || bytes.byteLength > 0)
        const changed = longer ? Uint8Array.of(...bytes, 0) : bytes.subarray(1)
        expect(decodeEntries({ ...columns, [column]: changed }, synced)).toMatchObject({ ok: false, error: { code: 'malformed' } })
      }),
    ))

  it('are refused when they contain a path twice', () =>
    fc.assert(
      fc.property(entries, trees(entries), (entry, tree) => {
        const others = tree.filter(({ path }) => path !== entry.path)
        expect(decodeEntries(encodeEntries([entry, ...others, entry]), synced)).toMatchObject({ ok: false, error: { code: 'malformed' } })
      }),
    ))

  it('take as many bytes as each entry says that it takes', () =>
    fc.assert(
      fc.property(trees(entries), (tree) => {
        const { paths, digests, sizes, modes } = encodeEntries(tree)
        const bytes = Buffer.byteLength(paths) + digests.byteLength + sizes.byteLength + modes.byteLength
        const said = tree.reduce((sum, entry) => sum + entryWireBytes(entry), 0)
        expect(said - bytes).toBe(tree.length === 0 ? 0 : 1)
      }),
    ))

  it('join paths and digests so that they can be split again', () =>
    fc.assert(
      fc.property(trees(entries), (tree) => {
        const paths = tree.map((entry) => entry.path)
        const digests = tree.map((entry) => entry.digest)
        expect(splitPaths(joinPaths(paths))).toEqual(paths)
        expect(splitDigests(joinDigests(digests))).toEqual(digests)
      }),
    ))
})
