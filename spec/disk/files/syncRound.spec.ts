import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { itemOf } from '../../../src/domain/files/syncedItems.js'
import { decidePlan, writeStepsOf } from '../../../src/domain/files/syncPlan.js'
import type { WriteStep } from '../../../src/domain/files/treeValues.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld, filesBelow } from '../../support/files/diskWorlds.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { edit, expectedEntries, sha256, treeEdits } from '../../support/files/treeEdits.js'
import { syncRound, TreeNode, transfer } from '../../support/files/treeNodes.js'

const worlds = [
  { on: 'the real disk', create: createNodeWorld, runs: 15 },
  { on: 'the simulated disk', create: createMemoryWorld, runs: 120 },
]

const unsynced = (world: DiskWorld): Map<string, string> => new Map([...filesBelow(world, 'etc')].filter(([path]) => !itemOf(synced, path)))
const isExcludedBelow = (path: string): boolean => /(^|\/)(ar\.conf|[^/]*~)(\/|$)/.test(path)
const large = (seed: number, length: number): string =>
  createHash('shake256', { outputLength: length / 2 })
    .update(`${seed}`)
    .digest('hex')
const digestOf = (text: string): string => sha256(text)

describe.each(worlds)('a round of synchronization on $on', ({ create, runs }) => {
  let a: DiskWorld
  let b: DiskWorld
  let master: TreeNode
  let worker: TreeNode

  beforeEach(() => {
    a = create()
    b = create()
    for (const world of [a, b]) for (const dir of ['etc/shared', 'etc/rules']) world.mkdir(dir)
    master = new TreeNode(a, 'master', synced)
    worker = new TreeNode(b, 'worker', synced)
  })
  afterEach(() => {
    a.dispose()
    b.dispose()
  })

  it("makes any worker's tree the master's, with its modes, and touches nothing else", () =>
    fc.assert(
      fc.property(treeEdits, treeEdits, fc.boolean(), (masterEdits, workerEdits, compress) => {
        const [home, away] = [create(), create()]
        const [from, to] = [new TreeNode(home, 'master', synced), new TreeNode(away, 'worker', synced)]
        for (const change of masterEdits) edit(home, change)
        for (const change of workerEdits) edit(away, change)
        const before = unsynced(away)
        const { failures } = syncRound(from, to, { compress })
        // An excluded file of the worker must stay, also where the master has a directory, or below one where it has a file.
        const blocked = [...failures.keys()]
        if (![...before.keys()].some(isExcludedBelow)) expect(blocked).toEqual([])
        expect(unsynced(away)).toEqual(before)
        const wanted = expectedEntries(home, synced, 'master')
        const got = expectedEntries(away, synced, 'worker')
        for (const path of blocked) wanted.delete(path)
        for (const path of blocked) got.delete(path)
        expect(got).toEqual(wanted)
        // What the worker knows after applying is what a new scan finds.
        const trusted = to.entries()
        to.check()
        expect(to.entries()).toEqual(trusted)
        home.dispose()
        away.dispose()
      }),
      { numRuns: runs },
    ))

  it('sends content that several paths have once, and content that the worker has elsewhere not at all', () => {
    for (const path of ['a', 'b', 'c']) a.write(`etc/rules/${path}`, large(1, 20_000))
    a.write('etc/shared/moved', large(2, 20_000))
    b.write('etc/shared/before', large(2, 20_000))
    master.check()
    worker.check()
    const plan = decidePlan(master.entries(), worker.entries())
    const { bytes } = transfer(master, worker, plan)
    expect(bytes).toBeLessThan(21_000)
    expect(bytes).toBeGreaterThan(20_000)
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc')).toEqual(filesBelow(a, 'etc'))
  })

  it('swaps the contents of two files of the worker without fetching any', () => {
    a.write('etc/rules/a', 'one')
    a.write('etc/rules/b', 'two')
    b.write('etc/rules/a', 'two')
    b.write('etc/rules/b', 'one')
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc')).toEqual(filesBelow(a, 'etc'))
  })

  it('fetches nothing where only the mode differs, and changes no other name of the file', () => {
    a.write('etc/rules/a', 'one')
    b.write('outside/file', 'one', 0o600)
    b.hardLink('outside/file', 'etc/rules/a')
    let blocks = 0
    const { applied } = syncRound(master, worker, { onBlock: () => ++blocks })
    expect(blocks).toBe(0)
    expect(b.modeOf('etc/rules/a')).toBe(0o660)
    expect(applied.upserts.map((entry) => entry.mode)).toEqual([0o660])
    expect(filesBelow(b, 'outside')).toEqual(new Map([['outside/file', '600 one']]))
  })

  it('replaces a file by a directory and back', () => {
    b.write('etc/rules/a', 'a file')
    a.write('etc/rules/a/b/c', 'below')
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc/rules')).toEqual(filesBelow(a, 'etc/rules'))
    a.remove('etc/rules/a')
    a.write('etc/rules/a', 'a file again')
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc/rules')).toEqual(filesBelow(a, 'etc/rules'))
  })

  it('carries names of 255 bytes, odd names, empty files and a tree 40 levels deep', () => {
    const deep = Array.from({ length: 40 }, (_, level) => `level ${level}`).join('/')
    for (const name of ['x'.repeat(255), 'ä'.repeat(127), ' ', "'quo\"te'", 'new\nline', '-rf', '$(date)', deep])
      a.write(`etc/rules/${name}`, name.slice(0, 9))
    a.write('etc/rules/empty', '')
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc/rules')).toEqual(filesBelow(a, 'etc/rules'))
  })

  it('removes empty directories where the item says so, and only there, and never an item', () => {
    for (const dir of ['etc/shared', 'etc/rules']) b.write(`${dir}/x/y/extra`, 'extra')
    syncRound(master, worker)
    expect(['etc/shared', 'etc/shared/x', 'etc/rules/x/y', 'etc/rules/x/y/extra'].map((path) => b.exists(path))).toEqual([
      true,
      false,
      true,
      false,
    ])
  })

  it('replaces symlinks of the worker and never writes or deletes through them', () => {
    b.write('outside/file', 'outside')
    b.write('outside/sub/file', 'outside')
    b.symlink('../../outside', 'etc/rules/dir')
    b.symlink('../../outside/file', 'etc/rules/file')
    b.symlink('../../outside', 'etc/rules/extra')
    a.write('etc/rules/dir/sub/file', 'inside')
    a.write('etc/rules/file', 'inside')
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc/rules')).toEqual(filesBelow(a, 'etc/rules'))
    expect(filesBelow(b, 'outside')).toEqual(
      new Map([
        ['outside/file', '660 outside'],
        ['outside/sub/file', '660 outside'],
      ]),
    )
    // Asked by a lying master to delete through a link, it does not.
    b.symlink('../../outside', 'etc/rules/trap')
    worker.apply({ writes: [], removals: ['etc/rules/trap/file', 'etc/rules/trap/sub/file'] })
    expect(b.exists('outside/file') && b.exists('outside/sub/file')).toBe(true)
  })

  it('replaces a symlink that came after the scan by a directory, and writes into that', () => {
    b.write('outside/file', 'outside')
    a.write('etc/rules/dir/file', 'inside')
    master.check()
    worker.check()
    const plan = decidePlan(master.entries(), worker.entries())
    transfer(master, worker, plan)
    b.symlink('../../outside', 'etc/rules/dir')
    expect(worker.apply({ writes: writeStepsOf(plan, worker.manifest), removals: [] }).failures).toEqual([])
    expect(b.read('outside/file')).toBe('outside')
    expect(filesBelow(b, 'etc/rules')).toEqual(filesBelow(a, 'etc/rules'))
  })

  it('cleans up copies that a crash left half-way, on workers only', () => {
    const leftover = `etc/rules/.muster-${'0'.repeat(32)}.tmp`
    for (const world of [a, b]) world.write(leftover, 'half')
    syncRound(master, worker)
    expect([a.exists(leftover), b.exists(leftover)]).toEqual([true, false])
  })

  it('resumes in a staged part that is longer than the content, without keeping its end', () => {
    const content = 'the content'
    const digest = digestOf(content)
    a.write('etc/rules/a', content)
    b.write(`queue/cluster/node/${digest}.part`, 'the garbage of a power loss')
    expect(worker.tree.staged([digest])).toEqual([27])
    const { block } = master.tree.read({
      files: [{ path: 'etc/rules/a', digest, offset: 4 }],
      from: { file: 0, offset: 4 },
      compress: false,
    })
    expect(worker.tree.stage(block, () => digest)).toEqual({ complete: [0], failed: [] })
    expect(b.read(`queue/cluster/node/${digest}`)).toBe(content)
  })

  it('lets no other user into a stage that an earlier version left open', () => {
    b.mkdir('queue/cluster/node')
    a.write('etc/rules/a', large(1, 20_000))
    syncRound(master, worker)
    expect(b.modeOf('queue/cluster/node')).toBe(0o700)
  })

  it('trusts no content in the stage that an earlier process left there, whatever its name', () => {
    const digest = digestOf('content')
    const staged = `queue/cluster/node/${digest}`
    a.write('etc/rules/a', 'content')
    b.write(staged, 'garbage')
    expect(syncRound(master, worker).failures).toEqual(new Map([['etc/rules/a', 'digestMismatch']]))
    expect(b.exists('etc/rules/a')).toBe(false)
    expect(syncRound(master, worker).failures).toEqual(new Map())
    b.write(staged, 'garbage')
    a.write('etc/rules/copy', 'content')
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(b.read('etc/rules/copy')).toBe('content')
  })

  it('starts again when more bytes are staged than the file has', () => {
    const digest = digestOf('short')
    a.write('etc/rules/a', 'short')
    b.write(`queue/cluster/node/${digest}.part`, 'longer than that')
    expect(syncRound(master, worker).failures).toEqual(new Map([['etc/rules/a', 'digestMismatch']]))
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(b.read('etc/rules/a')).toBe('short')
  })

  it('keeps an excluded file that is in the way, reports why, and applies the rest', () => {
    b.write('etc/rules/dir/ar.conf', 'mine')
    a.write('etc/rules/dir', 'a file')
    a.write('etc/rules/other', 'other')
    const { failures, applied } = syncRound(master, worker)
    expect([...failures]).toEqual([['etc/rules/dir', 'fileFailed']])
    expect(applied.failures[0]?.message).toContain("'etc/rules/dir'")
    expect(b.read('etc/rules/dir/ar.conf')).toBe('mine')
    expect(b.read('etc/rules/other')).toBe('other')
  })

  it('resumes at any block, also in another process, and sends nothing twice that is staged', () => {
    const length = 3 * limits.streamChunkBytesMax
    for (let index = 0; index < 5; index++) a.write(`etc/rules/${index}`, large(index, length))
    master.check()
    worker.check()
    let total = 0
    for (let stopAfter = 1; ; stopAfter++) {
      const again = new TreeNode(b, 'worker', synced)
      again.check()
      const plan = decidePlan(master.entries(), again.entries())
      try {
        const { bytes } = transfer(master, again, plan, {
          onBlock: (index) => {
            if (index >= stopAfter) throw new Error('interrupted')
          },
        })
        total = stopAfter
        expect(bytes).toBeLessThanOrEqual(stopAfter * limits.streamChunkBytesMax)
        break
      } catch (thrown) {
        if (!(thrown instanceof Error && thrown.message === 'interrupted')) throw thrown
      }
    }
    // 1 + 2 + … blocks cover 15 files' worth only when none was sent twice.
    expect(total).toBeLessThanOrEqual(6)
    expect(syncRound(master, new TreeNode(b, 'worker', synced)).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc')).toEqual(filesBelow(a, 'etc'))
  })

  it('reports a file that changes while it is sent, keeps the old one, and has the new one a round later', () => {
    const length = 3 * limits.streamChunkBytesMax
    for (const name of ['changes', 'vanishes', 'stays']) a.write(`etc/rules/${name}`, large(1, length) + name)
    b.write('etc/rules/changes', 'old')
    const { failures } = syncRound(master, worker, {
      onBlock: (index) => {
        if (index === 1) a.write('etc/rules/changes', `${large(2, length)}after`)
        if (index === 1) a.remove('etc/rules/vanishes')
      },
    })
    expect(failures).toEqual(
      new Map([
        ['etc/rules/changes', 'digestMismatch'],
        ['etc/rules/vanishes', 'fileGone'],
      ]),
    )
    expect(b.read('etc/rules/changes')).toBe('old')
    expect(b.exists('etc/rules/stays')).toBe(true)
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc')).toEqual(filesBelow(a, 'etc'))
  })

  it('refuses paths that lead out, wherever they come from, and does the rest', () => {
    const digest = digestOf('x')
    const bad = [
      '../x',
      '/etc/passwd',
      'etc/rules/../../x',
      'etc/rules//x',
      'etc/rules/x\0',
      'etc/ossec.conf',
      'etc/rules/ar.conf',
      'queue/x',
      '',
    ]
    const steps = bad.map((path): WriteStep => ({ path, digest, from: { kind: 'stage' } }))
    b.write('etc/rules/extra', 'extra')
    worker.check()
    const applied = worker.apply({ writes: steps, removals: [...bad, 'etc/rules/extra'] })
    expect(applied.failures.map((failure) => failure.code)).toEqual(new Array(2 * bad.length).fill('pathRefused'))
    expect(applied.removals).toEqual(['etc/rules/extra'])
    for (const path of bad) {
      const { block } = master.tree.read({ files: [{ path, digest, offset: 0 }], from: { file: 0, offset: 0 }, compress: false })
      expect(worker.tree.stage(block, () => digest).failed.map((failure) => failure.code)).toEqual(['pathRefused'])
    }
    const copies = ['../x', 'etc/ossec.conf'].map((path): WriteStep => ({ path: 'etc/rules/new', digest, from: { kind: 'copy', path } }))
    expect(worker.apply({ writes: copies, removals: [] }).failures.map((failure) => failure.code)).toEqual(['pathRefused', 'pathRefused'])
  })

  it('does not read through a symlinked directory that leads out of the item', () => {
    a.write('etc/secret/file', 'secret')
    a.symlink('../secret', 'etc/rules/link')
    const { block } = master.tree.read({
      files: [{ path: 'etc/rules/link/file', digest: digestOf('secret'), offset: 0 }],
      from: { file: 0, offset: 0 },
      compress: false,
    })
    expect(Buffer.from(block).includes('secret\0') || Buffer.from(block).subarray(0, 20).includes('secret')).toBe(false)
    expect(worker.tree.stage(block, () => digestOf('secret')).failed.map((failure) => failure.code)).toEqual(['pathRefused'])
  })

  it('stages nothing under a wrong digest, or under a name that is not a digest', () => {
    a.write('etc/rules/a', 'one')
    const request = {
      files: [{ path: 'etc/rules/a', digest: digestOf('other'), offset: 0 }],
      from: { file: 0, offset: 0 },
      compress: false,
    }
    const { block } = master.tree.read(request)
    expect(worker.tree.stage(block, () => digestOf('other')).failed.map((failure) => failure.code)).toEqual(['digestMismatch'])
    expect(worker.tree.staged([digestOf('other')])).toEqual([0])
    for (const name of ['../../etc/rules/evil', 'A'.repeat(64), undefined])
      expect(worker.tree.stage(block, () => name).failed.map((failure) => failure.code)).toEqual(['malformed'])
    expect(filesBelow(b, 'etc')).toEqual(new Map())
  })

  it('fails a write whose content is missing, and a copy whose content has changed', () => {
    b.write('etc/rules/a', 'one')
    b.write('etc/rules/source', 'one')
    worker.check()
    b.write('etc/rules/a', 'other')
    b.write('etc/rules/source', 'other')
    const digest = digestOf('one')
    const step = (path: string, from: WriteStep['from']): WriteStep => ({ path, digest, from })
    const { failures } = worker.apply({
      writes: [
        step('etc/rules/x', { kind: 'stage' }),
        step('etc/rules/a', { kind: 'copy', path: 'etc/rules/a' }),
        step('etc/rules/y', { kind: 'copy', path: 'etc/rules/source' }),
      ],
      removals: [],
    })
    expect(new Map(failures.map(({ code, path }) => [path, code]))).toEqual(
      new Map([
        ['etc/rules/x', 'transferFailed'],
        ['etc/rules/a', 'fileGone'],
        ['etc/rules/y', 'fileGone'],
      ]),
    )
    expect(b.read('etc/rules/a')).toBe('other')
    expect(b.modeOf('etc/rules/a')).toBe(0o660)
  })
})

describe('a round of synchronization on the simulated disk', () => {
  it('creates a small file once, with its mode, and renames it once', () => {
    const [a, b] = [createMemoryWorld(), createMemoryWorld()]
    const [master, worker] = [new TreeNode(a, 'master', synced), new TreeNode(b, 'worker', synced)]
    for (let index = 0; index < 20; index++) a.write(`etc/rules/${index}`, `content ${index}`)
    const calls: string[] = []
    b.disk.onStep = (call, path) => {
      if (call !== 'open' || path.startsWith(`${b.home}/queue/cluster/node/`)) calls.push(call)
    }
    expect(syncRound(master, worker).failures.size).toBe(0)
    b.disk.onStep = undefined
    expect(['open', 'rename', 'chmod'].map((name) => calls.filter((call) => call === name).length)).toEqual([20, 20, 0])
  })
})

describe('a round of synchronization on the real disk', () => {
  it('brings 10 000 files in one directory', () => {
    const [a, b] = [createNodeWorld(), createNodeWorld()]
    const [master, worker] = [new TreeNode(a, 'master', synced), new TreeNode(b, 'worker', synced)]
    for (let index = 0; index < 10_000; index++) a.write(`etc/rules/${index}`, `content ${index}`)
    const { applied, failures } = syncRound(master, worker)
    expect(failures.size).toBe(0)
    expect(applied.upserts.length).toBe(10_000)
    expect(b.read('etc/rules/9999')).toBe('content 9999')
    master.check()
    expect(decidePlan(master.entries(), worker.entries())).toEqual({ create: [], update: [], remove: [] })
    a.dispose()
    b.dispose()
  })
})
