import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { decodeItems, encodeItems, itemsDifferences, itemsDifferSentence } from '../../../src/domain/files/itemsDifference.js'
import { sameDigest } from '../../../src/domain/files/manifest.js'
import { defaultSyncedItems, itemsDigest, type SyncedItem, type SyncedItems } from '../../../src/domain/files/syncedItems.js'

const names = fc.constantFrom('a', 'b', "it's", 'größe', 'all')
const lists = fc.array(names, { maxLength: 3 })
const items: fc.Arbitrary<SyncedItem> = fc.record({
  dir: fc.constantFrom('etc/a', 'etc/b', 'etc/a/b'),
  files: fc.oneof(fc.constant<'all'>('all'), fc.array(names, { minLength: 1, maxLength: 3 })),
  mode: fc.constantFrom(0o640, 0o660),
  recursive: fc.boolean(),
  removeEmptyDirectories: fc.boolean(),
  reload: fc.boolean(),
})
const syncedItems: fc.Arbitrary<SyncedItems> = fc.record({
  items: fc.array(items, { maxLength: 4 }),
  excludedNames: lists,
  excludedEndings: lists,
})
const on = { ours: 'on w1', theirs: 'on the master' }
const swapped = { ours: on.theirs, theirs: on.ours }

/** A change of one thing that two nodes must have in common, and what must be named. */
const edits: readonly (readonly [(item: SyncedItem) => SyncedItem, string])[] = [
  [(item) => ({ ...item, mode: item.mode ^ 0o020 }), 'permissions'],
  [(item) => ({ ...item, recursive: !item.recursive }), 'recursive'],
  [(item) => ({ ...item, removeEmptyDirectories: !item.removeEmptyDirectories }), 'remove_subdirs_if_empty'],
  [(item) => ({ ...item, files: item.files === 'all' ? ['new'] : [...item.files, 'new'] }), 'files'],
]

describe('the differences of synced items', () => {
  it('are empty exactly when both have the same digest', () =>
    fc.assert(
      fc.property(syncedItems, syncedItems, fc.boolean(), (one, other, isReversed) => {
        const same = { ...one, items: isReversed ? [...one.items].reverse() : one.items }
        for (const theirs of [other, same])
          expect(itemsDifferences(one, theirs, on).length === 0).toBe(sameDigest(itemsDigest(one), itemsDigest(theirs)))
      }),
      { numRuns: 1_000 },
    ))

  it('name each changed, added or removed item, its option, each excluded name, and nothing else', () =>
    fc.assert(
      fc.property(
        fc.subarray(defaultSyncedItems.items.map((_, index) => index)),
        fc.constantFrom(...edits),
        fc.boolean(),
        fc.subarray(['new', 'other']),
        (chosen, [edit, option], isRemoved, excluded) => {
          const changed = { ...defaultSyncedItems, excludedNames: [...defaultSyncedItems.excludedNames, ...excluded] }
          const theirs = {
            ...changed,
            items: defaultSyncedItems.items.flatMap((item, index) => (chosen.includes(index) ? (isRemoved ? [] : [edit(item)]) : [item])),
          }
          const found = itemsDifferences(defaultSyncedItems, theirs, on)
          const dirs = chosen.map((index) => defaultSyncedItems.items[index]?.dir ?? '').sort()
          expect(found).toHaveLength(dirs.length + excluded.length)
          for (const [index, dir] of dirs.entries())
            expect(found[index]).toMatch(isRemoved ? `'${dir}/' is only on w1` : new RegExp(`^'${dir}/': ${option}`))
          expect(found.slice(dirs.length)).toEqual(excluded.sort().map((name) => `excluded_files: '${name}' is only on the master`))
        },
      ),
    ))

  it('are the same from either side', () =>
    fc.assert(
      fc.property(syncedItems, syncedItems, (one, other) => {
        const isOnly = (says: string): boolean => says.includes('only')
        const [here, there] = [itemsDifferences(one, other, on), itemsDifferences(other, one, swapped)]
        expect(there.filter(isOnly)).toEqual(here.filter(isOnly))
        expect(there).toHaveLength(here.length)
      }),
    ))

  it('make a sentence of bounded length, which says how many more there are', () =>
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 1_000 }), { maxLength: 40 }), (differences) => {
        const sentence = itemsDifferSentence('w1', differences)
        expect(sentence.length).toBeLessThan(200 + limits.itemsDifferencesShownMax * (limits.itemsDifferenceCharsMax + 3))
        const more = differences.length - limits.itemsDifferencesShownMax
        if (more > 0) expect(sentence.endsWith(`; and ${more} more.`)).toBe(true)
      }),
    ))
})

describe('the items in a message', () => {
  it('are the same after they were sent, except for what is only of local use', () =>
    fc.assert(
      fc.property(syncedItems, (synced) => {
        const decoded = decodeItems(encodeItems(synced))
        expect(decoded.ok && itemsDifferences(synced, decoded.value, on)).toEqual([])
      }),
    ))

  it('of any other bytes are refused, and never fail', () =>
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json().map((text) => Buffer.from(text)),
          fc.uint8Array(),
        ),
        (bytes) => {
          const decoded = decodeItems(bytes)
          if (decoded.ok) expect(decodeItems(encodeItems(decoded.value)).ok).toBe(true)
          else expect(decoded.error.code).toBe('malformed')
        },
      ),
    ))
})
