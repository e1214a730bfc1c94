import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bucketCount, bucketDigestBytes, bucketOf, differingBuckets, Manifest, sameDigest } from '../../../src/domain/files/manifest.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'
import { entryAt, heldEntries, treePairs, trees } from '../../support/treeArbitraries.js'

const manifestOf = (entries: readonly FileEntry[]): Manifest => {
  const manifest = new Manifest()
  for (const entry of entries) manifest.set(entry)
  return manifest
}

/** What a root digest is over. */
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

  it('is after any sequence of changes what a fresh one of the same entries is', () =>
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

  it('settles at most as many buckets as it may at once, and says when it is done', () =>
    fc.assert(
      fc.property(trees(heldEntries), fc.integer({ min: 1, max: bucketCount }), (tree, bucketsMax) => {
        const manifest = manifestOf(tree)
        let calls = 1
        while (manifest.settleSome(bucketsMax)) calls += 1
        expect(calls).toBe(Math.ceil(bucketCount / bucketsMax))
        expect(asBytes(manifest.root())).toEqual(asBytes(manifestOf(tree).root()))
        const [changed] = tree
        if (!changed) return
        manifest.set({ ...changed, mode: changed.mode ^ 1 })
        expect(manifest.settleSome(1)).toBe(false)
      }),
    ))

  it('differs in exactly the buckets in which entries differ', () =>
    fc.assert(
      fc.property(treePairs(heldEntries, heldEntries), ([ours, theirs]) => {
        const [a, b] = [manifestOf(ours), manifestOf(theirs)]
        const wanted = Array.from({ length: bucketCount }, (_, index) => index).filter(
          (index) => JSON.stringify(facts(a.bucket(index).values())) !== JSON.stringify(facts(b.bucket(index).values())),
        )
        expect(differingBuckets(a.bucketDigests(), b.bucketDigests())).toEqual(wanted)
        expect(a.bucketDigests().byteLength).toBe(bucketCount * bucketDigestBytes)
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
