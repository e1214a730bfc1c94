import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { encodeEntries } from '../../../src/domain/files/entryColumns.js'
import { differingDigests, Manifest } from '../../../src/domain/files/manifest.js'
import { answerParts, askForParts, readParts } from '../../../src/domain/files/partsQuestion.js'
import { bucketOf, digestBytes, partCount, partIndexOf } from '../../../src/domain/files/pathHash.js'
import { answerCompare, askAbout, byPart, decidePlan, readAnswer, type SyncPlan } from '../../../src/domain/files/syncPlan.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'
import { encodeReply, encodeRequest, requestTypeOf } from '../../../src/wire/muster/codec.js'
import { joinPlans, manifestOf, unordered, value } from '../../support/files/comparedTrees.js'
import { digestOf, entries, synced, treePairs, trees } from '../../support/files/treeArbitraries.js'

const byPath = (tree: readonly FileEntry[]): Map<string, FileEntry> => new Map(tree.map((entry) => [entry.path, entry]))

const parts = requestTypeOf('integrity.parts')
const compareParts = requestTypeOf('integrity.compareParts')

/** The exchange by parts, whatever the size of the buckets; each message checked and packed as on a link. */
const exchange = (master: Manifest, worker: Manifest): { plan: SyncPlan; bytes: number } => {
  const plans: SyncPlan[] = []
  let bytes = 0
  for (let buckets = differingDigests(master.bucketDigests(), worker.bucketDigests()); buckets.length > 0; ) {
    const question = askForParts(worker, buckets)
    buckets = buckets.slice(question.buckets.length)
    bytes += encodeRequest(parts, 1, { ...question, buckets: [...question.buckets] }).byteLength
    const { bits } = value(answerParts(master, question))
    bytes += encodeReply(parts, 1, { differing: bits }).byteLength
    for (let open = value(readParts(question.buckets, bits)); open.length > 0; ) {
      const asked = value(askAbout(worker, open, byPart))
      bytes += encodeRequest(compareParts, 1, { parts: [...asked.places], counts: [...asked.counts], entries: asked.entries }).byteLength
      const { answer } = value(answerCompare(master, synced, asked, byPart))
      bytes += encodeReply(compareParts, 1, answer).byteLength
      expect(answer.decided).toBeGreaterThan(0)
      plans.push(value(readAnswer(answer, synced)))
      open = open.slice(answer.decided)
    }
  }
  return { plan: joinPlans(plans), bytes }
}

/** Paths of about 100 bytes. */
const pathOf = (file: number): string => `etc/shared/group-${file % 50}/${'x'.repeat(70)}-${file}.conf`
const treeOf = (files: number): FileEntry[] =>
  Array.from({ length: files }, (_, file) => ({ path: pathOf(file), size: 100, mode: 0o660, digest: digestOf(file) }))

describe('a comparison by parts', () => {
  it('finds exactly the difference of any two trees', () =>
    fc.assert(
      fc.property(treePairs(), ([ours, theirs]) => {
        expect(unordered(exchange(manifestOf(ours), manifestOf(theirs)).plan)).toEqual(unordered(decidePlan(byPath(ours), byPath(theirs))))
      }),
    ))

  it('of trees with 40 000 files that differ in one takes less than 7 KB', () => {
    const tree = treeOf(40_000)
    const edited = { path: pathOf(7), size: 100, mode: 0o660, digest: digestOf(1) }
    const { bytes, plan } = exchange(manifestOf(tree), manifestOf([...tree.slice(0, 7), edited, ...tree.slice(8)]))
    expect([...plan.update].map(({ path }) => path)).toEqual([pathOf(7)])
    expect(bytes).toBeLessThan(7_000)
  })

  it('of a tree with an empty one, in either direction, is all of the tree', () => {
    const tree = treeOf(20_000)
    expect(exchange(manifestOf(tree), new Manifest()).plan.create).toHaveLength(20_000)
    expect(exchange(new Manifest(), manifestOf(tree)).plan.remove).toHaveLength(20_000)
  })

  it('of too many buckets, or with a wrong number of digests, is refused', () => {
    const worker = new Manifest()
    const many = Array.from({ length: limits.comparedPartsBucketsMax + 1 }, (_, index) => index)
    const digests = new Uint8Array(many.length * partCount * digestBytes)
    expect(answerParts(worker, { buckets: many, digests })).toMatchObject({ ok: false, error: { code: 'malformed' } })
    expect(answerParts(worker, { buckets: [1], digests })).toMatchObject({ ok: false, error: { code: 'malformed' } })
    const places = many.map((bucket) => bucket * partCount)
    const question = { places, counts: places.map(() => 0), entries: encodeEntries([]) }
    expect(answerCompare(worker, synced, question, byPart)).toMatchObject({ ok: false, error: { code: 'malformed' } })
    expect(readParts([1, 2], new Uint8Array(32))).toMatchObject({ ok: false, error: { code: 'malformed' } })
    expect(askForParts(worker, many).buckets).toHaveLength(limits.comparedPartsBucketsMax)
  })

  it('with an entry in a part that is not its own is refused', () =>
    fc.assert(
      fc.property(entries, fc.integer({ min: 1, max: partCount - 1 }), (entry, shift) => {
        const bucket = bucketOf(entry.path)
        const other = bucket * partCount + ((partIndexOf(entry.path) + shift) % partCount)
        const question = { places: [other], counts: [1], entries: encodeEntries([entry]) }
        expect(answerCompare(new Manifest(), synced, question, byPart)).toMatchObject({ ok: false, error: { code: 'malformed' } })
      }),
    ))

  it('never asks for more than fits into a question', () =>
    fc.assert(
      fc.property(trees(entries), fc.uniqueArray(fc.nat(partCount * 256 - 1), { minLength: 1, maxLength: 2_000 }), (tree, places) => {
        const question = value(askAbout(manifestOf(tree), places, byPart))
        encodeRequest(compareParts, 1, { parts: [...question.places], counts: [...question.counts], entries: question.entries })
        expect(question.places).toEqual(places.slice(0, question.places.length))
        expect(new Set(question.places.map(byPart.bucketOf)).size).toBeLessThanOrEqual(limits.comparedPartsBucketsMax)
        expect(question.places.length).toBeGreaterThan(0)
      }),
      { numRuns: 30 },
    ))
})
