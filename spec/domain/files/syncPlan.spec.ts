import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { encodeEntries } from '../../../src/domain/files/entryColumns.js'
import { bucketCount, differingDigests, Manifest } from '../../../src/domain/files/manifest.js'
import { bucketOf } from '../../../src/domain/files/pathHash.js'
import {
  answerCompare,
  askAbout,
  type CompareAnswer,
  type CompareQuestion,
  decidePlan,
  isEmptyPlan,
  readAnswer,
  type SyncPlan,
  withWrites,
  writeStepsOf,
} from '../../../src/domain/files/syncPlan.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'
import { encodeReply, encodeRequest, requestTypeOf } from '../../../src/wire/muster/codec.js'
import { joinPlans, manifestOf, unordered, value } from '../../support/files/comparedTrees.js'
import { digestOf, entries, entryAt, heldEntries, synced, treePairs, trees } from '../../support/files/treeArbitraries.js'

const byPath = (tree: readonly FileEntry[]): Map<string, FileEntry> => new Map(tree.map((entry) => [entry.path, entry]))

const compare = requestTypeOf('integrity.compare')

/** The whole exchange, each message checked and packed as on a link; `pages` counts the questions. */
const exchange = (master: Manifest, worker: Manifest): { plan: SyncPlan; pages: number } => {
  let open = differingDigests(master.bucketDigests(), worker.bucketDigests())
  const plans: SyncPlan[] = []
  let pages = 0
  while (open.length > 0) {
    const question = value(askAbout(worker, open))
    encodeRequest(compare, 1, { buckets: [...question.places], counts: [...question.counts], entries: question.entries })
    const { answer, plan } = value(answerCompare(master, synced, question))
    encodeReply(compare, 1, answer)
    expect(answer.decided).toBeGreaterThan(0)
    expect(answer.decided).toBeLessThanOrEqual(question.places.length)
    const read = value(readAnswer(answer, synced))
    expect(unordered(read)).toEqual(unordered(plan))
    plans.push(read)
    open = open.slice(answer.decided)
    pages += 1
  }
  return { plan: joinPlans(plans), pages }
}

/** Long paths, so that a tree of a few hundred files needs several pages. */
const longPathOf = (file: number): string => `etc/shared/${`${'x'.repeat(200)}/`.repeat(16)}${file}`
const longTrees = fc
  .tuple(
    fc.subarray(
      Array.from({ length: 300 }, (_, file) => longPathOf(file)),
      { minLength: 100 },
    ),
    fc.infiniteStream(entryAt(fc.constant(''))),
  )
  .map(([paths, drawn]) => paths.flatMap((path) => [...drawn.take(1)].map((entry) => ({ ...entry, path }))))

describe('sync plan', () => {
  it('makes the worker what the master is, except for what the master cannot read', () =>
    fc.assert(
      fc.property(treePairs(), ([ours, theirs]) => {
        const [master, worker] = [byPath(ours), byPath(theirs)]
        const plan = decidePlan(master, worker)
        const after = new Map(worker)
        for (const entry of [...plan.create, ...plan.update]) after.set(entry.path, entry)
        for (const path of plan.remove) after.delete(path)
        const wanted = new Map(
          [...master.values()].flatMap((entry) => {
            const kept = entry.held ? worker.get(entry.path) : entry
            return kept ? [[entry.path, kept] as const] : []
          }),
        )
        const facts = (tree: Map<string, FileEntry>): unknown[] =>
          [...tree.values()].map(({ path, digest, mode }) => `${path} ${digest} ${mode}`).sort()
        expect(facts(after)).toEqual(facts(wanted))
        for (const entry of plan.create) expect(worker.has(entry.path)).toBe(false)
        for (const entry of plan.update) expect(worker.has(entry.path)).toBe(true)
        for (const path of plan.remove) expect(worker.has(path)).toBe(true)
      }),
    ))

  it('changes nothing when the trees are the same, and nothing twice', () =>
    fc.assert(
      fc.property(trees(), treePairs(), (tree, [ours, theirs]) => {
        expect(isEmptyPlan(decidePlan(byPath(tree), byPath(tree)))).toBe(true)
        const { create, update, remove } = decidePlan(byPath(ours), byPath(theirs))
        const touched = [...create, ...update].map((entry) => entry.path).concat(remove)
        expect(new Set(touched).size).toBe(touched.length)
      }),
    ))

  it('decided page by page is the plan decided over the whole trees', () =>
    fc.assert(
      fc.property(treePairs(), ([ours, theirs]) => {
        expect(unordered(exchange(manifestOf(ours), manifestOf(theirs)).plan)).toEqual(unordered(decidePlan(byPath(ours), byPath(theirs))))
      }),
    ))

  it('decided over several pages of long paths is the plan decided over the whole trees', () => {
    let pagesMax = 0
    fc.assert(
      fc.property(longTrees, longTrees, (ours, theirs) => {
        const { plan, pages } = exchange(manifestOf(ours), manifestOf(theirs))
        pagesMax = Math.max(pagesMax, pages)
        expect(unordered(plan)).toEqual(unordered(decidePlan(byPath(ours), byPath(theirs))))
      }),
      { numRuns: 15 },
    )
    expect(pagesMax).toBeGreaterThan(1)
  })

  it('of a worker that has everything to fetch or everything to delete fits into messages', () => {
    const tree = Array.from(
      { length: 900 },
      (_, file): FileEntry => ({ path: longPathOf(file), size: 2 ** 40, mode: 0o660, digest: digestOf(file) }),
    )
    expect(exchange(manifestOf(tree), new Manifest()).plan.create).toHaveLength(900)
    expect(exchange(new Manifest(), manifestOf(tree)).plan.remove).toHaveLength(900)
    expect(exchange(manifestOf(tree.map((entry) => ({ ...entry, mode: 0o640 }))), manifestOf(tree)).plan.update).toHaveLength(900)
  })

  it('of a bucket that is too large for one message is refused, not cut', () => {
    const tree: FileEntry[] = []
    for (let file = 0; tree.length < 100; file++)
      if (bucketOf(longPathOf(file)) === 7) tree.push({ path: longPathOf(file), size: 1, mode: 0o660, digest: digestOf(file) })
    expect(askAbout(manifestOf(tree), [7])).toMatchObject({ ok: false, error: { code: 'tooLarge' } })
    const empty = { places: [7], counts: [0], entries: encodeEntries([]) }
    expect(answerCompare(manifestOf(tree), synced, empty)).toMatchObject({ ok: false, error: { code: 'tooLarge' } })
  })

  it('copies content that the worker has under any path, and fetches the rest', () =>
    fc.assert(
      fc.property(treePairs(), ([ours, theirs]) => {
        const worker = manifestOf(theirs)
        const plan = decidePlan(byPath(ours), byPath(theirs))
        const steps = writeStepsOf(plan, worker)
        expect(steps.map(({ path, digest }) => ({ path, digest }))).toEqual(
          [...plan.create, ...plan.update].map(({ path, digest }) => ({ path, digest })),
        )
        for (const { digest, from } of steps) {
          if (from.kind === 'copy') expect(worker.get(from.path)?.digest).toBe(digest)
          else expect(theirs.some((entry) => entry.digest === digest)).toBe(false)
        }
      }),
    ))

  it('copies for a portion only what is there once the one before it is written', () =>
    fc.assert(
      fc.property(treePairs(), fc.nat(), ([ours, theirs], cut) => {
        const { create, update } = decidePlan(byPath(ours), byPath(theirs))
        const writes = [...create, ...update]
        const length = cut % (writes.length + 1)
        const writing = writeStepsOf({ create: writes.slice(0, length), update: [] }, manifestOf(theirs))
        const after = manifestOf([...theirs, ...writes.slice(0, length)])
        for (const { digest, from } of writeStepsOf(
          { create: writes.slice(length), update: [] },
          withWrites(manifestOf(theirs), writing),
        )) {
          if (from.kind === 'copy') expect(after.get(from.path)?.digest).toBe(digest)
          else expect(writing.some((step) => step.digest === digest)).toBe(false)
        }
      }),
    ))
})

describe('a question that lies', () => {
  /** A true question about all of a tree. */
  const asked = (tree: readonly FileEntry[]): CompareQuestion =>
    value(
      askAbout(
        manifestOf(tree),
        Array.from({ length: bucketCount }, (_, index) => index),
      ),
    )
  const isRefused = (question: CompareQuestion, master = new Manifest()): void => {
    const answered = answerCompare(master, synced, question)
    expect(answered.ok || ['malformed', 'pathRefused'].includes(answered.error.code)).toBe(true)
    expect(answered.ok).toBe(false)
  }
  const nonEmpty = trees(entries).filter((tree) => tree.length > 0)

  it('about the bucket of an entry is refused', () =>
    fc.assert(
      fc.property(nonEmpty, fc.integer({ min: 1, max: 255 }), (tree, shift) => {
        const question = asked(tree)
        isRefused({ ...question, places: question.places.map((index) => (index + shift) % bucketCount) })
      }),
    ))

  it('with counts that do not add up to the entries is refused', () =>
    fc.assert(
      fc.property(trees(entries), fc.nat(255), fc.integer({ min: -3, max: limits.compareEntriesMax }), (tree, at, more) => {
        const question = asked(tree)
        const counts = question.counts.map((count, position) => (position === at ? Math.max(0, count + more) : count))
        fc.pre(counts[at] !== question.counts[at])
        isRefused({ ...question, counts })
        isRefused({ ...question, counts: question.counts.slice(1) })
        if (tree.length > 0) isRefused({ ...question, counts: question.counts.map(() => 0) })
        const last = question.counts.findLastIndex((count) => count > 0)
        if (last >= 0) isRefused({ ...question, counts: question.counts.map((count, position) => (position === last ? count - 1 : count)) })
        isRefused({ ...question, places: question.places.slice(1) })
      }),
    ))

  it('about a bucket twice, or about none, is refused', () =>
    fc.assert(
      fc.property(trees(heldEntries), fc.nat(255), (tree, index) => {
        const nothing = encodeEntries([])
        isRefused({ places: [index, index], counts: [0, 0], entries: nothing }, manifestOf(tree))
        isRefused({ places: [], counts: [], entries: nothing }, manifestOf(tree))
      }),
    ))

  it('with an entry twice, or a path that leads out, is refused', () =>
    fc.assert(
      fc.property(
        nonEmpty,
        fc.nat(),
        fc.constantFrom('../', '/', 'etc/shared/../../', './', 'etc/passwd/', 'bin/'),
        (tree, pick, prefix) => {
          const entry = tree[pick % tree.length]
          if (!entry) return
          const index = bucketOf(entry.path)
          isRefused({ places: [index], counts: [2], entries: encodeEntries([entry, entry]) })
          const outside = { ...entry, path: `${prefix}${entry.path}` }
          isRefused({ places: [bucketOf(outside.path)], counts: [1], entries: encodeEntries([outside]) })
        },
      ),
    ))

  it('never makes an answer that is too large or has a path twice', () =>
    fc.assert(
      fc.property(
        trees(heldEntries),
        fc.array(fc.nat(255), { maxLength: 300 }),
        fc.array(fc.nat(3), { maxLength: 300 }),
        fc.array(entries, { maxLength: 5 }),
        (tree, buckets, counts, sent) => {
          const answered = answerCompare(manifestOf(tree), synced, { places: buckets, counts, entries: encodeEntries(sent) })
          if (!answered.ok) return
          encodeReply(compare, 1, answered.value.answer)
          const paths = [...answered.value.plan.create, ...answered.value.plan.update].map((entry) => entry.path)
          expect(new Set(paths).size).toBe(paths.length)
        },
      ),
    ))
})

describe('an answer that lies', () => {
  const nothing = encodeEntries([])
  const badPaths = fc.constantFrom(
    '../etc/shared/a',
    '/etc/shared/a',
    'etc/shared/../a',
    'etc/shared//a',
    'etc/ossec.conf',
    'etc/shared/ar.conf',
    'etc/shared/a~',
    'etc/shared/.',
  )

  it('about paths is refused as a whole, wherever they are', () =>
    fc.assert(
      fc.property(nothingOr(entries), badPaths, fc.constantFrom('create', 'update', 'remove'), (good, path, where) => {
        const liar: FileEntry = { path, size: 1, mode: 0o660, digest: digestOf(1) }
        const answer: CompareAnswer = {
          decided: 1,
          create: where === 'create' ? encodeEntries([...good, liar]) : nothing,
          update: where === 'update' ? encodeEntries([...good, liar]) : nothing,
          remove: where === 'remove' ? [...good.map((entry) => entry.path), path].join('\0') : '',
        }
        expect(readAnswer(answer, synced)).toMatchObject({ ok: false, error: { code: 'pathRefused' } })
      }),
    ))

  it('about one path in two ways is refused', () =>
    fc.assert(
      fc.property(entries, fc.constantFrom('create and update', 'create and remove', 'update and remove', 'remove twice'), (entry, how) => {
        const one = encodeEntries([entry])
        const answer: CompareAnswer = {
          decided: 1,
          create: how.includes('create') ? one : nothing,
          update: how.includes('update') ? one : nothing,
          remove: how === 'remove twice' ? `${entry.path}\0${entry.path}` : how.includes('remove') ? entry.path : '',
        }
        expect(readAnswer(answer, synced)).toMatchObject({ ok: false, error: { code: 'malformed' } })
      }),
    ))

  function nothingOr(of: fc.Arbitrary<FileEntry>): fc.Arbitrary<FileEntry[]> {
    return fc.uniqueArray(of, { selector: (entry) => entry.path, maxLength: 2 })
  }
})
