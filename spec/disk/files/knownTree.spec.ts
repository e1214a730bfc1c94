import fc from 'fast-check'
import { expect, it } from 'vitest'
import { isRacy, isSameStat, KnownFiles } from '../../../src/disk/files/knownTree.js'
import type { DiskStat } from '../../../src/ports/files.js'
import { digestOf } from '../../support/files/treeArbitraries.js'

/** Few values of each, so that they often coincide, and the ends of what file systems have. */
const times = fc.constantFrom(0n, -1n, 1_700_000_000_000_000_000n, 1_700_000_001_999_999_999n, 2n ** 63n - 1n, 2n ** 63n + 5n)
const stats: fc.Arbitrary<DiskStat> = fc.record({
  kind: fc.constant('file' as const),
  size: fc.constantFrom(0, 1, Number.MAX_SAFE_INTEGER),
  mode: fc.constantFrom(0o640, 0o7777),
  mtimeNs: times,
  ctimeNs: times,
  inode: fc.constantFrom(0n, 7n, 2n ** 64n - 1n),
  links: fc.constant(1),
})
const hashedTimesMs = fc.constantFrom(0, 1_700_000_000_000, 1_700_000_003_000)

it('known files have the stat, the raciness and the listing that they were given, each its own', () =>
  fc.assert(
    fc.property(fc.array(fc.tuple(stats, hashedTimesMs, fc.nat(6)), { minLength: 1, maxLength: 20 }), stats, (list, other) => {
      const known = new KnownFiles()
      const rows = list.map(([stat, hashedAtMs, content], listing) => {
        const row = known.add()
        known.put(row, { stat, mode: 0o660, digest: digestOf(content), hashedAtMs })
        known.setListing(row, listing)
        return row
      })
      for (const [index, [stat, hashedAtMs, content]] of list.entries()) {
        const row = rows[index] ?? -1
        expect(known.hasStat(row, stat)).toBe(true)
        expect(known.hasStat(row, other)).toBe(isSameStat(stat, other))
        expect(known.isRacy(row)).toBe(isRacy(stat, hashedAtMs))
        expect(known.listingOf(row)).toBe(index)
        known.put(row, { stat: other, mode: 0, digest: digestOf(content), hashedAtMs })
        expect([known.hasStat(row, other), known.listingOf(row)]).toEqual([true, 0])
        known.put(row, { stat, mode: 0o660, digest: digestOf(content), hashedAtMs })
        expect(known.entry(row, 'a')).toEqual({ path: 'a', size: stat.size, mode: 0o660, digest: digestOf(content) })
      }
    }),
  ))
