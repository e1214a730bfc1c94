import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketCount, differingDigests, Manifest, sameDigest } from '../../../src/domain/files/manifest.js'
import { bucketOf, digestBytes, partCount, partIndexOf, partOf } from '../../../src/domain/files/pathHash.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'
import { manifestOf } from '../../support/files/comparedTrees.js'
import { entryAt, heldEntries, treePairs, trees } from '../../support/files/treeArbitraries.js'

/** What a root digest covers. */
const facts = (entries: Iterable<FileEntry>): string[] =>
  [...entries].map(({ path, mode, digest, held }) => JSON.stringify([path, mode, held ? 'held' : digest])).sort()

const asBytes = (bytes: Uint8Array): number[] => [...bytes]

type Step = { readonly set: FileEntry } | { readonly remove: string } | { readonly settle: number }
/** Few, so that the same one is often set again or removed. */
const fewPaths = fc.nat(7).map((file) => `etc/shared/${file}`)
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: entryAt(fewPaths).map((set): Step => ({ set })) },
    { weight: 1, arbitrary: entryAt(fewPaths).map((entry): Step => ({ set: { ...entry, held: true } })) },
    { weight: 2, arbitrary: fewPaths.map((remove): Step => ({ remove })) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 300 }).map((settle): Step => ({ settle })) },
  ),
  { maxLength: 60 },
)

const afterSteps = (list: readonly Step[]): { manifest: Manifest; model: Map<string, FileEntry> } => {
  const manifest = new Manifest()
  const model = new Map<string, FileEntry>()
  for (const step of list) {
    if ('set' in step) {
      manifest.set(step.set)
      model.set(step.set.path, step.set)
    } else if ('remove' in step) {
      manifest.delete(step.remove)
      model.delete(step.remove)
    } else manifest.settleSome(step.settle)
  }
  return { manifest, model }
}

describe('manifest', () => {
  it('knows the paths of each bucket in order, and which entries are held, after any changes', () =>
    fc.assert(
      fc.property(fc.array(steps, { minLength: 1, maxLength: 3 }), (rounds) => {
        const manifest = new Manifest()
        const model = new Map<string, FileEntry>()
        for (const step of rounds.flat()) {
          if ('set' in step) {
            manifest.set(step.set)
            model.set(step.set.path, step.set)
          } else if ('remove' in step) {
            manifest.delete(step.remove)
            model.delete(step.remove)
          }
          const sorted = Array.from({ length: bucketCount }, (_, index) => manifest.sortedPaths(index))
          expect(sorted).toEqual(sorted.map((_, index) => [...model.keys()].filter((path) => bucketOf(path) === index).sort()))
          expect([...manifest.heldPaths].sort()).toEqual([...model.values()].flatMap(({ held, path }) => (held ? [path] : [])).sort())
        }
      }),
      { numRuns: 20 },
    ))

  it('has the same root exactly when paths, modes, contents and held files are the same', () =>
    fc.assert(
      fc.property(treePairs(heldEntries, heldEntries), ([ours, theirs]) => {
        const same = JSON.stringify(facts(ours)) === JSON.stringify(facts(theirs))
        expect(sameDigest(manifestOf(ours).root(), manifestOf(theirs).root())).toBe(same)
      }),
    ))

  it('has a root that changes with any one path, mode, content or held file', () =>
    fc.assert(
      fc.property(
        trees(heldEntries).filter((tree) => tree.length > 0),
        fc.nat(),
        fc.constantFrom('path', 'mode', 'digest', 'held', 'gone'),
        (tree, pick, what) => {
          const index = pick % tree.length
          const change = (entry: FileEntry): FileEntry[] => {
            if (what === 'gone') return []
            if (what === 'path') return [{ ...entry, path: `${entry.path}!` }]
            if (what === 'mode') return [{ ...entry, mode: entry.mode ^ 1 }]
            if (what === 'held' || entry.held)
              return [{ path: entry.path, size: entry.size, mode: entry.mode, digest: entry.digest, ...(!entry.held && { held: true }) }]
            return [{ ...entry, digest: entry.digest.replace(/.$/, (digit) => (digit === '0' ? '1' : '0')) }]
          }
          const changed = tree.flatMap((entry, at) => (at === index ? change(entry) : [entry]))
          expect(sameDigest(manifestOf(tree).root(), manifestOf(changed).root())).toBe(false)
        },
      ),
    ))

  it('does not depend on the order in which the entries came', () =>
    fc.assert(
      fc.property(
        trees(heldEntries).chain((tree) => fc.tuple(fc.constant(tree), fc.shuffledSubarray(tree, { minLength: tree.length }))),
        ([tree, shuffled]) => {
          expect(asBytes(manifestOf(tree).root())).toEqual(asBytes(manifestOf(shuffled).root()))
        },
      ),
    ))

  it('equals, after any changes, a fresh one with the same entries', () =>
    fc.assert(
      fc.property(steps, (list) => {
        const { manifest, model } = afterSteps(list)
        const fresh = manifestOf([...model.values()])
        expect(manifest.files).toBe(model.size)
        expect(facts(manifest.entries())).toEqual(facts(model.values()))
        expect(asBytes(manifest.bucketDigests())).toEqual(asBytes(fresh.bucketDigests()))
        expect(asBytes(manifest.root())).toEqual(asBytes(fresh.root()))
      }),
    ))

  it('knows a path with each content that some file has, and none with a content that no file has', () =>
    fc.assert(
      fc.property(steps, (list) => {
        const { manifest, model } = afterSteps(list)
        for (const { digest } of list.flatMap((step) => ('set' in step ? [step.set] : []))) {
          const paths = [...model.values()].filter((entry) => !entry.held && entry.digest === digest).map((entry) => entry.path)
          const known = manifest.pathWith(digest)
          if (paths.length === 0) expect(known).toBeUndefined()
          else expect(paths).toContain(known)
        }
      }),
    ))

  it('settles buckets up to its limit of entries at once, and reports when it is done', () =>
    fc.assert(
      fc.property(trees(heldEntries), fc.integer({ min: 1, max: 2 * bucketCount }), (tree, entriesMax) => {
        const manifest = manifestOf(tree)
        let calls = 1
        while (manifest.settleSome(entriesMax)) calls += 1
        // An empty bucket counts for one.
        expect(calls).toBeLessThanOrEqual(Math.ceil((bucketCount + tree.length) / entriesMax))
        expect(calls).toBeGreaterThanOrEqual((bucketCount + tree.length) / (entriesMax + tree.length + 1))
        expect(asBytes(manifest.root())).toEqual(asBytes(manifestOf(tree).root()))
        const [changed] = tree
        if (!changed) return
        manifest.set({ ...changed, mode: changed.mode ^ 1 })
        expect(manifest.settleSome(1)).toBe(false)
      }),
    ))

  it('differs in exactly the parts of each bucket in which entries differ, after any changes', () =>
    fc.assert(
      fc.property(treePairs(heldEntries, heldEntries), fc.array(heldEntries, { maxLength: 5 }), ([ours, theirs], later) => {
        const [a, b] = [manifestOf(ours), manifestOf(theirs)]
        // Parts that were computed before are computed again when their bucket has changed.
        for (const { path } of ours) a.part(partIndexOf(path))
        for (const entry of later) a.set(entry)
        for (const index of new Set([...ours, ...theirs, ...later].map(({ path }) => bucketOf(path)))) {
          const wanted = Array.from({ length: partCount }, (_, part) => part).filter((part) => {
            const inPart = (manifest: Manifest): FileEntry[] => manifest.entriesIn(index).filter(({ path }) => partOf(path) === part)
            expect(facts(a.part(index * partCount + part))).toEqual(facts(inPart(a)))
            return JSON.stringify(facts(inPart(a))) !== JSON.stringify(facts(inPart(b)))
          })
          expect(differingDigests(a.parts(index).digests, b.parts(index).digests)).toEqual(wanted)
        }
      }),
      { numRuns: 30 },
    ))

  it('puts the paths of one bucket into parts of about the same size', () => {
    const sizes = new Array<number>(partCount).fill(0)
    let files = 0
    for (let file = 0; files < 25_600; file++) {
      const path = `etc/shared/group-${file % 40}/file-${file}.conf`
      if (bucketOf(path) !== 7) continue
      files += 1
      sizes[partOf(path)] = (sizes[partOf(path)] ?? 0) + 1
    }
    expect(Math.max(...sizes)).toBeLessThan(2 * 100)
    expect(Math.min(...sizes)).toBeGreaterThan(100 / 2)
  })

  it('differs in exactly the buckets in which entries differ', () =>
    fc.assert(
      fc.property(treePairs(heldEntries, heldEntries), ([ours, theirs]) => {
        const [a, b] = [manifestOf(ours), manifestOf(theirs)]
        const wanted = Array.from({ length: bucketCount }, (_, index) => index).filter(
          (index) => JSON.stringify(facts(a.entriesIn(index))) !== JSON.stringify(facts(b.entriesIn(index))),
        )
        expect(differingDigests(a.bucketDigests(), b.bucketDigests())).toEqual(wanted)
        expect(a.bucketDigests().byteLength).toBe(bucketCount * digestBytes)
      }),
    ))

  it('puts each path into a bucket below 256, and many paths into buckets of about the same size', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (path) => bucketOf(path) >= 0 && bucketOf(path) < bucketCount))
    const sizes = new Array<number>(bucketCount).fill(0)
    for (let file = 0; file < 51_200; file++) {
      const index = bucketOf(`etc/shared/group-${file % 40}/file-${file}.conf`)
      sizes[index] = (sizes[index] ?? 0) + 1
    }
    expect(Math.max(...sizes)).toBeLessThan(2 * 200)
    expect(Math.min(...sizes)).toBeGreaterThan(200 / 2)
  })
})
