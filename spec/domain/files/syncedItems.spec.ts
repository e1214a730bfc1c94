import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sameDigest } from '../../../src/domain/files/manifest.js'
import { defaultSyncedItems, itemOf, itemsDigest, type SyncedItem, type SyncedItems } from '../../../src/domain/files/syncedItems.js'

const dirs = fc.array(fc.constantFrom('a', 'b', 'ab', 'c'), { minLength: 1, maxLength: 3 }).map((names) => names.join('/'))
const fileNames = fc.constantFrom('a', 'b', 'f', 'g.tmp', 'skip')
const items: fc.Arbitrary<SyncedItem> = fc.record({
  dir: dirs,
  files: fc.oneof(fc.constant<'all'>('all'), fc.uniqueArray(fileNames, { minLength: 1, maxLength: 3 })),
  mode: fc.constantFrom(0o640, 0o660),
  recursive: fc.boolean(),
  removeEmptyDirectories: fc.boolean(),
  reload: fc.boolean(),
})
const overlapping: fc.Arbitrary<SyncedItems> = fc.record({
  items: fc.uniqueArray(items, { selector: (item) => item.dir, maxLength: 6 }),
  excludedNames: fc.constantFrom([], ['skip'], ['skip', 'other']),
  excludedEndings: fc.constantFrom([], ['.tmp'], ['.tmp', '~']),
})
const paths = fc.tuple(dirs, fileNames).map((parts) => parts.join('/'))

describe('synced items', () => {
  it('give each path to the deepest item above it that wants the file, unless it is excluded', () =>
    fc.assert(
      fc.property(overlapping, paths, (synced, path) => {
        const names = path.split('/')
        const fileName = names.at(-1) ?? ''
        // The same rule said the other way round: from the deepest directory up.
        let item: SyncedItem | undefined
        for (let depth = names.length - 1; depth > 0 && !item; depth--)
          item = synced.items.find(({ dir }) => dir === names.slice(0, depth).join('/'))
        const isDirect = item !== undefined && item.dir.split('/').length === names.length - 1
        const isWanted =
          item !== undefined &&
          (item.recursive || isDirect) &&
          (item.files === 'all' || item.files.includes(fileName)) &&
          !synced.excludedNames.includes(fileName) &&
          !synced.excludedEndings.some((ending) => fileName.endsWith(ending))
        expect(itemOf(synced, path)).toBe(isWanted ? item : undefined)
      }),
      { numRuns: 1_000 },
    ))

  it('give each path to the same item in whatever order they are configured', () =>
    fc.assert(
      fc.property(overlapping, paths, (synced, path) => {
        const reversed = { ...synced, items: [...synced.items].reverse() }
        expect(itemOf(reversed, path)).toBe(itemOf(synced, path))
      }),
    ))

  it('have the same digest in whatever order they and their names are configured', () =>
    fc.assert(
      fc.property(overlapping, (synced) => {
        const reversed = {
          items: [...synced.items].reverse().map((item) => (item.files === 'all' ? item : { ...item, files: [...item.files].reverse() })),
          excludedNames: [...synced.excludedNames].reverse(),
          excludedEndings: [...synced.excludedEndings].reverse(),
        }
        expect(sameDigest(itemsDigest(reversed), itemsDigest(synced))).toBe(true)
      }),
    ))

  it('have another digest when they would sync other files or sync them otherwise', () =>
    fc.assert(
      fc.property(overlapping, items, (synced, more) => {
        fc.pre(!synced.items.some(({ dir }) => dir === more.dir))
        const digest = itemsDigest(synced)
        expect(sameDigest(itemsDigest({ ...synced, items: [...synced.items, more] }), digest)).toBe(false)
        expect(sameDigest(itemsDigest({ ...synced, excludedNames: [...synced.excludedNames, 'new'] }), digest)).toBe(false)
        expect(sameDigest(itemsDigest({ ...synced, excludedEndings: [...synced.excludedEndings, '.new'] }), digest)).toBe(false)
        const withMode = (mode: number): Uint8Array => itemsDigest({ ...synced, items: [...synced.items, { ...more, mode }] })
        expect(sameDigest(withMode(0o600), withMode(0o640))).toBe(false)
      }),
    ))

  it.each([
    ['etc/client.keys', 'etc'],
    ['etc/shared/default/agent.conf', 'etc/shared'],
    ['var/multigroups/1234/merged.mg', 'var/multigroups'],
    ['etc/rules/local_rules.xml', 'etc/rules'],
    ['etc/ossec.conf', undefined],
    ['etc/shared/ar.conf', undefined],
    ['var/multigroups/1234/agent.conf', undefined],
    ['etc/rules/local_rules.xml~', undefined],
    ['etc/lists/.list.swp', undefined],
    ['etc/local/client.keys', undefined],
  ])('by default give %s to %s', (path, dir) => {
    expect(itemOf(defaultSyncedItems, path)?.dir).toBe(dir)
  })
})
