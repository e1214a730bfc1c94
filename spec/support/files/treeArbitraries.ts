/** Generated trees: paths within a few synced items, and entries with few contents and modes, so that they often coincide. */
import fc from 'fast-check'
import { itemOf, type SyncedItems } from '../../../src/domain/files/syncedItems.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'
import { suiteItems } from '../../../src/testing/compliance/nodeHome.js'

export const synced: SyncedItems = suiteItems

const oddNames = [
  '..foo',
  'a..b',
  '...',
  ' ',
  'a b',
  "quo'te",
  'quo"te',
  'new\nline',
  'tab\t',
  'ä',
  '\u{1f600}',
  '-rf',
  '%2e%2e',
  'a\\b',
  'x'.repeat(255),
]

export const fileNames: fc.Arbitrary<string> = fc
  .oneof(
    { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'c', 'd.xml', 'agent.conf') },
    { weight: 1, arbitrary: fc.constantFrom(...oddNames) },
    {
      weight: 1,
      arbitrary: fc
        .string({ unit: 'grapheme', minLength: 1, maxLength: 12 })
        .filter((name) => !/[/\0\p{Surrogate}]/u.test(name) && name !== '.' && name !== '..'),
    },
  )
  .filter((name) => !/^ar\.conf$|~$|\.tmp$/.test(name))

/** Paths that belong to one of the items. */
export const syncedPaths: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: fc.constant('etc/client.keys') },
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.constantFrom('etc/shared', 'etc/rules'), fc.array(fileNames, { minLength: 1, maxLength: 4 }))
      .map(([dir, names]) => [dir, ...names].join('/'))
      .filter((path) => itemOf(synced, path) !== undefined),
  },
)

export const digestOf = (content: number): string => content.toString(16).padStart(64, 'c')
const digests = fc.oneof(
  { weight: 4, arbitrary: fc.nat(6).map(digestOf) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('hex')) },
)

export const entryAt = (paths: fc.Arbitrary<string>): fc.Arbitrary<FileEntry> =>
  fc.record({ path: paths, size: fc.maxSafeNat(), mode: fc.constantFrom(0o640, 0o660, 0o600, 0o4777), digest: digests })

export const entries: fc.Arbitrary<FileEntry> = entryAt(syncedPaths)

/** Some of them held, as on a master that cannot read all of its files. */
export const heldEntries: fc.Arbitrary<FileEntry> = fc
  .tuple(entries, fc.integer({ min: 0, max: 7 }))
  .map(([entry, die]): FileEntry => (die === 0 ? { ...entry, held: true } : entry))

/** Entries with different paths. */
export const trees = (of: fc.Arbitrary<FileEntry> = entries, maxLength = 40): fc.Arbitrary<FileEntry[]> =>
  fc.uniqueArray(of, { selector: (entry) => entry.path, maxLength })

/** Two trees that have much in common, as a master's and a worker's do. */
export const treePairs = (
  left: fc.Arbitrary<FileEntry> = heldEntries,
  right: fc.Arbitrary<FileEntry> = entries,
): fc.Arbitrary<[FileEntry[], FileEntry[]]> =>
  fc.tuple(trees(left), trees(right), fc.array(fc.nat(), { maxLength: 40 })).map(([ours, theirs, kept]) => {
    const all = new Map(theirs.map((entry) => [entry.path, entry]))
    for (const pick of kept) {
      const entry = ours[pick % Math.max(1, ours.length)]
      if (entry) all.set(entry.path, { path: entry.path, size: entry.size, mode: entry.mode, digest: entry.digest })
    }
    return [ours, [...all.values()]]
  })
