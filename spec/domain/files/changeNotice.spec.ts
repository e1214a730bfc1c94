import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { announceChange, isAnnouncedFor, planOfNotice, shortRootBytes } from '../../../src/domain/files/changeNotice.js'
import { encodeEntries } from '../../../src/domain/files/entryColumns.js'
import { Manifest, sameDigest } from '../../../src/domain/files/manifest.js'
import { RecentChanges } from '../../../src/domain/files/recentChanges.js'
import { decidePlan } from '../../../src/domain/files/syncPlan.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'
import { encodeNotice } from '../../../src/wire/muster/codec.js'
import { manifestOf, unordered } from '../../support/files/comparedTrees.js'
import { digestOf, entries, synced, syncedPaths, trees } from '../../support/files/treeArbitraries.js'

type Edit = { readonly set: FileEntry } | { readonly remove: number }

/** Batches of edits: after each of them the tree is announced. */
const batches: fc.Arbitrary<Edit[][]> = fc.array(
  fc.array(
    fc.oneof(
      { weight: 3, arbitrary: entries.map((set): Edit => ({ set })) },
      { weight: 1, arbitrary: entries.map((entry): Edit => ({ set: { ...entry, held: true } })) },
      { weight: 2, arbitrary: fc.nat().map((remove): Edit => ({ remove })) },
    ),
    { minLength: 1, maxLength: 30 },
  ),
  { minLength: 1, maxLength: 2 * limits.announcedRootsMax },
)

const byPath = (manifest: Manifest): Map<string, FileEntry> => new Map([...manifest.entries()].map((entry) => [entry.path, entry]))

/** Makes the edits of one batch; returns the paths that they touched. */
const edit = (master: Manifest, batch: readonly Edit[]): string[] =>
  batch.flatMap((one) => {
    if ('set' in one) {
      master.set(one.set)
      return [one.set.path]
    }
    const paths = [...byPath(master).keys()]
    const path = paths[one.remove % Math.max(1, paths.length)]
    if (path === undefined) return []
    master.delete(path)
    return [path]
  })

/** The tree after each batch, oldest first, and what is announced after the last one. */
const announced = (tree: readonly FileEntry[], edits: readonly Edit[][]) => {
  const master = manifestOf(tree)
  const recent = new RecentChanges()
  const before: FileEntry[][] = []
  for (const batch of edits) {
    before.push([...master.entries()])
    const root = Buffer.from(master.root())
    recent.add(root, edit(master, batch))
  }
  return { before, master, recent, notice: announceChange(recent, master, synced) }
}

describe('the announcement of a change', () => {
  it('makes the same plan as a comparison of both trees, for any tree that it is for', () =>
    fc.assert(
      fc.property(trees(), batches, (tree, edits) => {
        const { before, master, notice } = announced(tree, edits)
        encodeNotice('integrity.changed', notice)
        for (const earlier of before) {
          const worker = manifestOf(earlier)
          if (!isAnnouncedFor(notice, worker.root())) continue
          const plan = planOfNotice(notice, worker, synced)
          if (!plan.ok) throw plan.error
          expect(unordered(plan.value)).toEqual(unordered(decidePlan(byPath(master), byPath(worker))))
        }
      }),
    ))

  it('is for every one of the last trees, and for no other, when the changes are few', () =>
    fc.assert(
      fc.property(trees(), batches, entries, (tree, edits, other) => {
        const { before, notice, recent } = announced(tree, edits)
        const isFew = new Set(edits.flatMap((batch) => batch.map((one) => ('set' in one ? one.set.path : '')))).size < 20
        fc.pre(isFew && edits.length <= limits.announcedRootsMax && notice.since !== undefined)
        for (const earlier of before) expect(isAnnouncedFor(notice, manifestOf(earlier).root())).toBe(true)
        const stranger = manifestOf([...tree, { ...other, digest: digestOf(99) }]).root()
        expect(isAnnouncedFor(notice, stranger)).toBe(recent.roots.some((root) => sameDigest(root, stranger)))
      }),
    ))

  it('to a node with one of the last trees says what changed since then, and is for that tree', () =>
    fc.assert(
      fc.property(trees(), batches, (tree, edits) => {
        const { before, master, recent } = announced(tree, edits)
        for (const earlier of before.slice(-recent.roots.length)) {
          const worker = manifestOf(earlier)
          const later = recent.last(recent.countSince(worker.root()))
          expect(later.paths.size).toBeLessThanOrEqual(recent.paths.size)
          const notice = announceChange(later, master, synced)
          if (notice.since === undefined) continue
          expect(isAnnouncedFor(notice, worker.root())).toBe(true)
          const plan = planOfNotice(notice, worker, synced)
          if (!plan.ok) throw plan.error
          expect(unordered(plan.value)).toEqual(unordered(decidePlan(byPath(master), byPath(worker))))
        }
        expect(recent.countSince(undefined)).toBe(recent.roots.length)
        expect(recent.countSince(new Uint8Array(32))).toBe(recent.roots.length)
      }),
    ))

  it('stays within its bounds whatever changes, and fits into a message', () =>
    fc.assert(
      fc.property(
        fc.array(fc.uniqueArray(syncedPaths, { minLength: 1, maxLength: limits.announcedFilesMax + 5 }), { minLength: 1, maxLength: 20 }),
        (changes) => {
          const master = new Manifest()
          const recent = new RecentChanges()
          for (const [index, paths] of changes.entries()) {
            const root = Buffer.from(master.root())
            for (const path of paths) master.set({ path, size: 1, mode: 0o660, digest: digestOf(index) })
            recent.add(root, paths)
            expect(recent.paths.size).toBeLessThanOrEqual(limits.announcedFilesMax)
            expect(recent.roots.length).toBeLessThanOrEqual(limits.announcedRootsMax)
            const notice = announceChange(recent, master, synced)
            expect(encodeNotice('integrity.changed', notice).byteLength).toBeLessThan(4 * limits.announcedBytesMax)
            expect((notice.since?.byteLength ?? 0) % shortRootBytes).toBe(0)
          }
        },
      ),
    ))

  it('has only the root when unknown files are gone', () => {
    const path = 'etc/rules/custom/a'
    const master = manifestOf([{ path, size: 1, mode: 0o660, digest: digestOf(1) }])
    const recent = new RecentChanges()
    recent.add(Buffer.from(master.root()), [path])
    master.delete(path)
    master.unknownDirectories = new Set(['etc/rules/custom'])
    expect(Object.keys(announceChange(recent, master, synced))).toEqual(['root'])
    master.unknownDirectories = new Set()
    expect(announceChange(recent, master, synced)).toMatchObject({ removed: path })
  })

  it('is for no tree once a change is not known in full', () => {
    const recent = new RecentChanges()
    recent.add(new Uint8Array(32), ['etc/rules/a'])
    recent.forget()
    expect(Object.keys(announceChange(recent, new Manifest(), synced))).toEqual(['root'])
  })

  it('that lies about paths is refused as a whole', () =>
    fc.assert(
      fc.property(
        fc.constantFrom('../etc/shared/a', '/etc/shared/a', 'etc/ossec.conf', 'etc/shared/a~'),
        fc.boolean(),
        (path, isRemoved) => {
          const liar = encodeEntries([{ path, size: 1, mode: 0o660, digest: digestOf(1) }])
          const notice = {
            root: new Uint8Array(32),
            since: new Uint8Array(8),
            entries: isRemoved ? encodeEntries([]) : liar,
            removed: isRemoved ? path : '',
          }
          expect(planOfNotice(notice, new Manifest(), synced)).toMatchObject({ ok: false, error: { code: 'pathRefused' } })
        },
      ),
    ))
})
