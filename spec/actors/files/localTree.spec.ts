import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { ClusterError } from '../../../src/base/errors.js'
import { Manifest } from '../../../src/domain/files/manifest.js'
import type { FileEntry } from '../../../src/domain/files/treeValues.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { ScriptedFiles } from '../../support/files/scriptedFiles.js'
import { digestOf, synced } from '../../support/files/treeArbitraries.js'
import { outcome } from '../../support/sessionPair.js'

const forever = new AbortController().signal
const paths = fc.nat(9).map((file) => `etc/shared/${file}`)
const entries: fc.Arbitrary<FileEntry> = fc.record({
  path: paths,
  size: fc.constant(1),
  mode: fc.constantFrom(0o640, 0o660),
  digest: fc.nat(4).map(digestOf),
})

const setUp = () => {
  const clock = new VirtualClock()
  const files = new ScriptedFiles(clock)
  return { clock, files, tree: new LocalTree(files, synced, clock) }
}

const rootOf = (entries: Iterable<FileEntry>): string => {
  const manifest = new Manifest()
  for (const entry of entries) manifest.set(entry)
  return Buffer.from(manifest.root()).toString('hex')
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

type Step =
  | { readonly kind: 'edit'; readonly entry: FileEntry }
  | { readonly kind: 'delete'; readonly path: string }
  | { readonly kind: 'scan'; readonly paths: readonly string[] | undefined }
  | { readonly kind: 'apply'; readonly writes: readonly FileEntry[]; readonly removals: readonly string[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'fail'; readonly page: 'first' | 'next' }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    entries.map((entry): Step => ({ kind: 'edit', entry })),
    paths.map((path): Step => ({ kind: 'delete', path })),
    fc.option(fc.array(paths, { maxLength: 3 }), { nil: undefined }).map((scope): Step => ({ kind: 'scan', paths: scope })),
    fc
      .tuple(fc.array(entries, { maxLength: 3 }), fc.array(paths, { maxLength: 2 }))
      .map(([writes, removals]): Step => ({ kind: 'apply', writes, removals })),
    fc.nat(12).map((ms): Step => ({ kind: 'wait', ms })),
    fc.constantFrom<Step>({ kind: 'fail', page: 'first' }, { kind: 'fail', page: 'next' }),
  ),
  { maxLength: 30 },
)

describe('local tree', () => {
  it('never scans and applies at once, equals the disk after a scan, and has reported each change', () =>
    fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const { clock, files, tree } = setUp()
        const reported = new Map<string, FileEntry>()
        tree.onContent((changed) => {
          if (!changed) reported.clear()
          for (const path of changed ?? [...tree.manifest.entries()].map((entry) => entry.path)) {
            const entry = tree.manifest.get(path)
            if (entry) reported.set(path, entry)
            else reported.delete(path)
          }
        })
        const underWay: Promise<unknown>[] = []
        for (const step of list) {
          if (step.kind === 'edit') files.disk.set(step.entry.path, step.entry)
          else if (step.kind === 'delete') files.disk.delete(step.path)
          else if (step.kind === 'wait') await clock.advance(step.ms)
          else if (step.kind === 'fail') files[step.page === 'first' ? 'scanFailure' : 'pageFailure'] = new ClusterError('fileFailed')
          else if (step.kind === 'scan') underWay.push(tree.scan(step.paths, forever).catch(() => undefined))
          else {
            const writes = step.writes.map(({ path, digest }) => ({ path, digest, from: { kind: 'stage' as const } }))
            const written = new Set(writes.map((write) => write.path))
            const removals = step.removals.filter((path) => !written.has(path))
            underWay.push(
              tree.inPortions(forever, async (apply) => {
                await apply({ writes, removals: [] })
                await apply({ writes: [], removals })
              }),
            )
          }
        }
        await clock.advance(10_000)
        await Promise.all(underWay)
        files.scanFailure = undefined
        files.pageFailure = undefined
        await outcome(clock, tree.scan(undefined, forever))
        expect(files.overlaps).toBe(0)
        expect(hex(tree.manifest.root())).toBe(rootOf(files.disk.values()))
        expect(tree.manifest.files).toBe(files.disk.size)
        expect(rootOf(reported.values())).toBe(rootOf(files.disk.values()))
        expect(clock.pending).toBe(0)
      }),
    ))

  it('notifies its listeners exactly when a scan changed the tree, or was the first full one', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.array(entries, { maxLength: 3 }), { maxLength: 8 }), async (edits) => {
        const { clock, files, tree } = setUp()
        let emitted = 0
        const stop = tree.onChanged(() => {
          emitted += 1
        })
        const first = await outcome(clock, tree.scan(undefined, forever))
        expect(first.value).toMatchObject({ changed: true, files: 0 })
        expect(emitted).toBe(1)
        for (const edit of edits) {
          const before = rootOf(files.disk.values())
          for (const entry of edit) files.disk.set(entry.path, entry)
          const changes = rootOf(files.disk.values()) !== before
          emitted = 0
          expect((await outcome(clock, tree.scan(undefined, forever))).value).toMatchObject({ changed: changes, files: files.disk.size })
          expect(emitted).toBe(changes ? 1 : 0)
        }
        stop()
        emitted = 0
        files.disk.set('etc/shared/new', { path: 'etc/shared/new', size: 1, mode: 0o660, digest: digestOf(9) })
        await outcome(clock, tree.scan(undefined, forever))
        expect(emitted).toBe(0)
      }),
      { numRuns: 50 },
    ))

  it('is known after the first full scan, not after one of a few paths', async () => {
    const { clock, tree } = setUp()
    let isKnown = false
    const known = tree.known(forever).then(() => {
      isKnown = true
    })
    await outcome(clock, tree.scan(['etc/shared/a'], forever))
    await clock.settle()
    expect([tree.isKnown, isKnown]).toEqual([false, false])
    await outcome(clock, tree.scan(undefined, forever))
    await known
    expect([tree.isKnown, isKnown]).toEqual([true, true])
  })

  it('takes a file that was written here at once, and has a scan find what it cannot take', async () => {
    const { clock, files, tree } = setUp()
    const entry: FileEntry = { path: 'etc/shared/a', size: 1, mode: 0o660, digest: digestOf(1) }
    const hints: string[] = []
    let emitted = 0
    tree.onHint((hinted) => hints.push(...hinted))
    tree.onChanged(() => {
      emitted += 1
    })
    await outcome(clock, tree.scan(undefined, forever))
    for (const path of [entry.path, 'etc/shared/gone']) {
      files.disk.set(entry.path, entry)
      await outcome(clock, tree.wrote({ path, digest: entry.digest, stamp: '' }))
      await outcome(clock, tree.wrote({ path, digest: digestOf(2), stamp: '' }))
    }
    expect([...tree.manifest.entries()]).toEqual([entry])
    expect(emitted).toBe(2)
    expect(hints).toEqual([entry.path, 'etc/shared/gone', 'etc/shared/gone'])
    expect(files.scans).toEqual(['everything'])
  })

  it('is not waited for by a caller that gave up before or while waiting', async () => {
    const { clock, tree } = setUp()
    const abort = new AbortController()
    const waiting = tree.known(abort.signal)
    abort.abort()
    expect((await outcome(clock, waiting)).error).toMatchObject({ code: 'aborted' })
    expect((await outcome(clock, tree.known(abort.signal))).error).toMatchObject({ code: 'aborted' })
  })

  it('knows what was applied even when no caller waited for it any more', async () => {
    const { clock, files, tree } = setUp()
    await outcome(clock, tree.scan(undefined, forever))
    const abort = new AbortController()
    const applying = tree.inPortions(abort.signal, (apply) =>
      apply({ writes: [{ path: 'etc/shared/a', digest: digestOf(1), from: { kind: 'stage' } }], removals: [] }),
    )
    applying.catch(() => undefined)
    await clock.advance(files.applyMs - 1)
    abort.abort()
    await clock.advance(1_000)
    await outcome(clock, tree.scan(undefined, forever))
    expect(hex(tree.manifest.root())).toBe(rootOf(files.disk.values()))
  })

  it('goes on with the next call after a scan or a plan failed', async () => {
    const { clock, files, tree } = setUp()
    files.scanFailure = new ClusterError('fileFailed')
    const failing = tree.scan(undefined, forever)
    const next = tree.scan(undefined, forever)
    expect((await outcome(clock, failing)).error).toMatchObject({ code: 'fileFailed' })
    expect((await outcome(clock, next)).value).toMatchObject({ changed: true })
  })
})
