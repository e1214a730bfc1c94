/** One suite for the Files port, run on the real disk with its threads and on the simulated one in virtual time. */
import { createHash } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import { Manifest } from '../../src/domain/files/manifest.js'
import { decidePlan, writeStepsOf } from '../../src/domain/files/syncPlan.js'
import type { ContentRequest, FileEntry, ScanPage } from '../../src/domain/files/treeValues.js'
import { createFiles } from '../../src/platform/files/createFiles.js'
import type { Files } from '../../src/ports/files.js'
import { createSimulatedFiles } from '../../src/simulation/world/simulatedFiles.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'
import { type CompiledWorker, compileDiskWorker } from '../support/compiledDiskWorker.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld, filesBelow } from '../support/diskWorlds.js'
import { settledIn } from '../support/settledIn.js'
import { synced } from '../support/treeArbitraries.js'

const going = new AbortController().signal
const stopped = AbortSignal.abort(new Error('stopped'))
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

interface Node {
  readonly world: DiskWorld
  readonly files: Files
}

/** How a promise settles: by itself, or because virtual time passes. */
type Settle = <T>(promise: Promise<T>) => Promise<T>

interface Kind {
  readonly on: string
  readonly create: (role: 'master' | 'worker') => Node
  readonly settle: Settle
}

let compiled: CompiledWorker
beforeAll(() => {
  compiled = compileDiskWorker()
})
afterAll(() => compiled.dispose())

const stageDirOf = (world: DiskWorld): string => `${world.home}/queue/cluster/node`

const realKind = (): Kind => ({
  on: 'the real disk',
  create: (role) => {
    const world = createNodeWorld()
    return { world, files: createFiles({ home: world.home, synced, role, stageDir: stageDirOf(world), workerFile: compiled.workerFile }) }
  },
  settle: (promise) => promise,
})

const simulatedKind = (): Kind => {
  const clock = new VirtualClock()
  return {
    on: 'the simulated disk',
    create: (role) => {
      const world = createMemoryWorld()
      return {
        world,
        files: createSimulatedFiles(world.disk, clock, {
          home: world.home,
          synced,
          role,
          stageDir: stageDirOf(world),
          changes: world.disk,
        }),
      }
    },
    settle: settledIn(clock),
  }
}

const codeOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise
    return 'none'
  } catch (thrown) {
    return thrown instanceof ClusterError ? thrown.code : String(thrown)
  }
}

const scan = async (files: Files, manifest: Manifest, settle: Settle, paths?: readonly string[]): Promise<ScanPage> => {
  for (let page = await settle(files.scan(paths, going)); ; page = await settle(files.nextPage(going))) {
    for (const path of page.removals) manifest.delete(path)
    for (const entry of page.upserts) manifest.set(entry)
    if (page.done) return page
  }
}

const entriesOf = (manifest: Manifest): Map<string, FileEntry> => new Map([...manifest.entries()].map((entry) => [entry.path, entry]))

describe.each([realKind(), simulatedKind()])('the files of a node on $on', ({ create, settle }) => {
  let master: Node
  let worker: Node
  beforeEach(() => {
    master = create('master')
    worker = create('worker')
    for (const { world } of [master, worker]) for (const dir of ['etc/shared', 'etc/rules']) world.mkdir(dir)
  })
  afterEach(async () => {
    for (const { files, world } of [master, worker]) {
      await settle(files.close())
      world.dispose()
    }
  })

  const sync = async (compress: boolean): Promise<void> => {
    const ours = new Manifest()
    const theirs = new Manifest()
    await scan(master.files, ours, settle)
    await scan(worker.files, theirs, settle)
    const plan = decidePlan(entriesOf(ours), entriesOf(theirs))
    const steps = writeStepsOf(plan, theirs)
    const wanted = steps.filter((step) => step.from.kind === 'stage')
    const digests = [...new Set(wanted.map((step) => step.digest))]
    const offsets = await settle(worker.files.staged(digests, going))
    const files = digests.map((digest, index) => ({
      path: wanted.find((step) => step.digest === digest)?.path ?? '',
      digest,
      offset: offsets[index] ?? 0,
    }))
    const complete = new Set<number>()
    let request: ContentRequest | undefined = { files, from: { file: 0, offset: files[0]?.offset ?? 0 }, compress }
    while (request) {
      const { block, next }: Awaited<ReturnType<Files['read']>> = await settle(master.files.read(request, going))
      expect(block.length).toBeLessThanOrEqual(limits.streamChunkBytesMax)
      const outcome = await settle(worker.files.stage(block, digests, going))
      expect(outcome.failed).toEqual([])
      for (const index of outcome.complete) complete.add(index)
      request = next
    }
    expect(complete.size).toBe(digests.length)
    const applied = await settle(worker.files.apply({ writes: steps, removals: plan.remove }, going))
    expect(applied.failures).toEqual([])
    await settle(worker.files.clearStage(going))
    expect(filesBelow(worker.world, 'etc')).toEqual(filesBelow(master.world, 'etc'))
    expect(filesBelow(worker.world, 'queue')).toEqual(new Map())
  }

  it.each([false, true])('brings a tree of many small files and a large one to another node (compressed: %s)', async (compress) => {
    for (let index = 0; index < 700; index++) master.world.write(`etc/rules/${index % 7}/${index}`, `content ${index}`)
    master.world.write('etc/shared/large', 'large '.repeat(200_000))
    master.world.write('etc/shared/empty', '')
    worker.world.write('etc/shared/extra', 'extra')
    await sync(compress)
  })

  describe('a patch', () => {
    const path = 'etc/rules/large'
    const before = Array.from({ length: 20_000 }, (_, line) => `${line} ${sha256(`${line}`)}`)
    const after = before.with(10_000, 'changed').join('\n')
    const digest = sha256(after)

    it('brings what is missing of a file that changed little, and no more', async () => {
      master.world.write(path, after)
      worker.world.write(path, before.join('\n'))
      const recipe = await settle(master.files.recipe(path, digest, going))
      expect(await settle(master.files.recipe(path, digest, going))).toEqual(recipe)
      const ranges = await settle(worker.files.beginPatch({ path, digest, size: after.length, recipe }, going))
      if (!ranges) throw new Error('of no use')
      const files = ranges.map(({ end, start }) => ({ path, digest, offset: start, end }))
      let sent = recipe.chunks.length
      let request: ContentRequest | undefined = files[0] && { files, from: { file: 0, offset: files[0].offset }, compress: true }
      while (request) {
        const { block, next }: Awaited<ReturnType<Files['read']>> = await settle(master.files.read(request, going))
        sent += block.length
        await settle(worker.files.fillPatch(block, { digest, ranges }, going))
        request = next
      }
      expect(sent).toBeLessThan(after.length / 50)
      expect(await settle(worker.files.staged([digest], going))).toEqual([0])
      await settle(worker.files.finishPatch(digest, going))
      expect(await settle(worker.files.staged([digest], going))).toEqual([after.length])
      await sync(false)
      expect(worker.world.read(path)).toBe(after)
    })

    it('leaves the memory around a block and a recipe alone', async () => {
      master.world.write(path, after)
      worker.world.write(path, before.join('\n'))
      const { averageBits, chunks } = await settle(master.files.recipe(path, digest, going))
      const large = Buffer.concat([Buffer.from('before'), chunks, Buffer.from('after')])
      const recipe = { averageBits, chunks: large.subarray(6, 6 + chunks.length) }
      const ranges = (await settle(worker.files.beginPatch({ path, digest, size: after.length, recipe }, going))) ?? []
      const offset = ranges[0]?.start ?? 0
      const request = { files: [{ path, digest, offset, end: ranges[0]?.end ?? 0 }], from: { file: 0, offset }, compress: false }
      const { block } = await settle(master.files.read(request, going))
      const larger = Buffer.concat([Buffer.from('before'), block, Buffer.from('after'.padStart(20))])
      await settle(worker.files.fillPatch(larger.subarray(6, 6 + block.length), { digest, ranges }, going))
      await settle(worker.files.finishPatch(digest, going))
      for (const memory of [large, larger]) expect(memory.toString('latin1')).toMatch(/^before.*after$/s)
    })

    it('fails with the same codes, and is of no use for other content', async () => {
      master.world.write(path, after)
      worker.world.write(path, 'x'.repeat(after.length))
      const recipe = await settle(master.files.recipe(path, digest, going))
      const start = { path, digest, size: after.length, recipe }
      expect(await settle(worker.files.beginPatch(start, going))).toBeUndefined()
      const codes = [
        master.files.recipe(path, sha256('other'), going),
        master.files.recipe('etc/rules/none', digest, going),
        master.files.recipe('../etc/passwd', digest, going),
        worker.files.beginPatch({ ...start, size: 1 }, going),
        worker.files.beginPatch({ ...start, path: 'etc/rules/none' }, going),
        worker.files.fillPatch(Buffer.from('no block'), { digest, ranges: [] }, going),
        worker.files.finishPatch(digest, going),
      ].map((call) => codeOf(call))
      expect(await settle(Promise.all(codes))).toEqual([
        'digestMismatch',
        'fileGone',
        'pathRefused',
        'malformed',
        'fileFailed',
        'malformed',
        'fileFailed',
      ])
    })
  })

  it('announces an edit by a hint, and reports what it changed by a scan of the hint', async () => {
    const manifest = new Manifest()
    await scan(master.files, manifest, settle)
    let hinted: (paths: readonly string[] | undefined) => void = () => undefined
    const hint = new Promise<readonly string[] | undefined>((resolve) => {
      hinted = resolve
    })
    const watch = await settle(master.files.watch((paths) => hinted(paths)))
    expect(watch.isWhole).toBe(true)
    master.world.write('etc/rules/ar.conf', 'excluded')
    master.world.write('etc/rules/edited', 'edited')
    const paths = await settle(hint)
    expect(paths).toEqual(['etc/rules/edited'])
    await scan(master.files, manifest, settle, paths)
    expect(manifest.get('etc/rules/edited')?.digest).toBe(sha256('edited'))
    await settle(watch.close())
  })

  it('leaves the memory around a block alone', async () => {
    const content = 'content'
    master.world.write('etc/rules/a', content)
    const digest = sha256(content)
    const request = { files: [{ path: 'etc/rules/a', digest, offset: 0 }], from: { file: 0, offset: 0 }, compress: false }
    const { block } = await settle(master.files.read(request, going))
    const larger = Buffer.concat([Buffer.from('before'), block, Buffer.from('after')])
    const outcome = await settle(worker.files.stage(larger.subarray(6, 6 + block.length), [digest], going))
    expect(outcome).toEqual({ complete: [0], failed: [] })
    expect(larger.toString('latin1')).toMatch(/^before.*after$/s)
  })

  it('keeps the order of calls that are made at once', async () => {
    const content = 'large '.repeat(500_000)
    const digest = sha256(content)
    master.world.write('etc/rules/a', content)
    const blocks: Uint8Array[] = []
    let request: ContentRequest | undefined = {
      files: [{ path: 'etc/rules/a', digest, offset: 0 }],
      from: { file: 0, offset: 0 },
      compress: false,
    }
    while (request) {
      const { block, next }: Awaited<ReturnType<Files['read']>> = await settle(master.files.read(request, going))
      blocks.push(block)
      request = next
    }
    expect(blocks.length).toBeGreaterThan(10)
    const outcomes = await settle(Promise.all(blocks.map((block) => worker.files.stage(block, [digest], going))))
    expect(outcomes.flatMap((outcome) => outcome.failed)).toEqual([])
    expect(outcomes.at(-1)).toEqual({ complete: [0], failed: [] })
  })

  it('refuses an invalid block as malformed, and goes on', async () => {
    expect(await codeOf(settle(worker.files.stage(Buffer.from('no block'), ['x'], going)))).toBe('malformed')
    expect(await settle(worker.files.staged([sha256('x')], going))).toEqual([0])
  })

  it('does nothing more once its signal is aborted', async () => {
    const request = { files: [], from: { file: 0, offset: 0 }, compress: false }
    worker.world.write('etc/rules/kept', 'kept')
    const calls: Promise<unknown>[] = [
      worker.files.scan(undefined, stopped),
      worker.files.read(request, stopped),
      worker.files.staged([], stopped),
      worker.files.stage(new Uint8Array(0), [], stopped),
      worker.files.apply({ writes: [], removals: ['etc/rules/kept'] }, stopped),
      worker.files.clearStage(stopped),
      worker.files.recipe('etc/rules/kept', sha256('kept'), stopped),
      worker.files.beginPatch(
        { path: 'etc/rules/kept', digest: '', size: 0, recipe: { averageBits: 10, chunks: new Uint8Array(0) } },
        stopped,
      ),
      worker.files.fillPatch(new Uint8Array(0), { digest: '', ranges: [] }, stopped),
      worker.files.finishPatch('', stopped),
    ]
    const codes = await settle(Promise.all(calls.map((call) => codeOf(call))))
    expect(codes).toEqual(calls.map(() => 'aborted'))
    expect(worker.world.exists('etc/rules/kept')).toBe(true)
  })

  it('fails waiting calls and every new call once it is closed', async () => {
    for (let index = 0; index < 2_000; index++) master.world.write(`etc/rules/${index}`, 'x')
    const waiting = Promise.all([1, 2, 3].map(() => codeOf(master.files.scan(undefined, going))))
    await settle(master.files.close())
    const codes = await settle(waiting)
    expect(codes.at(-1)).toBe('aborted')
    expect(await codeOf(settle(master.files.scan(undefined, going)))).toBe('aborted')
    expect(await codeOf(settle(master.files.recipe('etc/rules/1', sha256('x'), going)))).toBe('aborted')
    await settle(master.files.close())
  })
})
