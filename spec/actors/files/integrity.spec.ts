import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { appliedCapability, changesCapability, contentsCapability } from '../../../src/actors/files/announcedChange.js'
import { integrityApply, integrityServeInput } from '../../../src/actors/files/integrity.js'
import { IntegritySync } from '../../../src/actors/files/integritySync.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { partsCapability } from '../../../src/actors/files/treeComparison.js'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { servingThread } from '../../../src/actors/kit/servingThread.js'
import { ClusterError, ok } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { WorkerState } from '../../../src/domain/cluster/workerState.js'
import { shortRootBytes } from '../../../src/domain/files/changeNotice.js'
import { encodeEntries } from '../../../src/domain/files/entryColumns.js'
import { bucketOf } from '../../../src/domain/files/pathHash.js'
import { defaultSyncedItems } from '../../../src/domain/files/syncedItems.js'
import type { Files } from '../../../src/ports/files.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { createSimulatedFiles } from '../../../src/simulation/world/simulatedFiles.js'
import type { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'
import { runs } from '../../support/runs.js'
import { hello, recordingAcceptor, sessionPair, welcome } from '../../support/sessionPair.js'

const home = '/home'
const forever = new AbortController().signal
const intervalMs = 9_000

/** The capabilities of both nodes. */
interface Builds {
  readonly master: string[]
  readonly worker: string[]
}
const ours = [changesCapability, contentsCapability, appliedCapability, partsCapability]
/** Of the build before. */
const earlier = [changesCapability, contentsCapability, partsCapability]
const sameBuild: Builds = { master: ours, worker: ours }
const builds = fc.constantFrom<Builds>(
  sameBuild,
  { ...sameBuild, master: earlier },
  { ...sameBuild, worker: earlier },
  { ...sameBuild, master: [] },
  { ...sameBuild, worker: [] },
  { master: [], worker: [] },
)

/** A disk that stores no modes, like some mounted ones. */
class ModelessDisk extends MemoryDisk {
  override chmod(): void {}

  override open(path: string, flags: 'r' | 'r+' | 'w' | 'wx'): number {
    return super.open(path, flags)
  }
}

const treeOf = (clock: VirtualClock, disk: MemoryDisk, role: 'master' | 'worker'): LocalTree => {
  disk.makeDirectories(home)
  for (const { dir } of defaultSyncedItems.items) disk.makeDirectories(`${home}/${dir}`)
  const files = createSimulatedFiles(disk, clock, { home, synced: defaultSyncedItems, role, stageDir: `${home}/queue/cluster/w1` })
  return new LocalTree(files, defaultSyncedItems, clock)
}

/** Both ends of the thread, over a real session, each over a disk in memory. */
const setUp = async (
  prepare: (master: MemoryDisk, worker: MemoryDisk) => void,
  newDisk: (clock: VirtualClock) => MemoryDisk = (clock) => new MemoryDisk({ now: () => clock.now() }),
  builds: Builds = sameBuild,
  portionFilesMax?: number,
  applyDelayMs = 0,
) => {
  const acceptor = recordingAcceptor(() => ok({ ...welcome, capabilities: builds.master }))
  const pair = await sessionPair({}, {}, acceptor, { ...hello, capabilities: builds.worker })
  const { clock } = pair
  const master = new MemoryDisk({ now: () => clock.now() })
  const worker = newDisk(clock)
  const masterTree = treeOf(clock, master, 'master')
  const workerTree = treeOf(clock, worker, 'worker')
  prepare(master, worker)
  const { apply } = workerTree.files
  const applyLater: typeof apply = async (...given) => {
    await new Promise<void>((resolve) => clock.setTimeout(resolve, applyDelayMs))
    return apply(...given)
  }
  if (applyDelayMs > 0) Object.defineProperty(workerTree.files, 'apply', { value: applyLater })
  const state = new WorkerState()
  const [masterLog, workerLog] = [recordingLog(), recordingLog()]
  const ends: ChildEvent[] = []
  const applied: number[] = []
  const reloads: boolean[] = []
  const onEnd = (event: ChildEvent): void => {
    ends.push(event)
  }
  const serving = startHosted(servingThread('integrity'), {
    clock,
    input: integrityServeInput({ tree: masterTree, clock }, { link: pair.master, state, log: masterLog }),
    onEnd,
  })
  const sync = new IntegritySync({
    tree: workerTree,
    clock,
    requestTimeoutMs: 20_000,
    compression: 'auto',
    ...(portionFilesMax && { portionFilesMax }),
  })
  const applying = startHosted(
    integrityApply({
      sync,
      tree: workerTree,
      clock,
      intervalMs,
      onApplied: ({ reload }) => reloads.push(reload) && applied.push(clock.monotonicMs()),
    }),
    { clock, input: { link: pair.worker, log: workerLog }, onEnd },
  )
  const scan = async (): Promise<void> => {
    const scans = Promise.all([masterTree.scan(undefined, forever), workerTree.scan(undefined, forever)])
    await clock.advance(50)
    await scans
  }
  const stop = async (): Promise<void> => {
    serving.stop()
    applying.stop()
    pair.master.close('error')
    await clock.advance(2_000)
    expect(ends).toEqual([])
    expect(serving.timers + applying.timers).toBe(0)
  }
  await scan()
  return { applied, reloads, clock, ends, scan, master, masterLog, masterTree, pair, state, stop, sync, worker, workerLog, workerTree }
}

const write = (disk: MemoryDisk, path: string, content: string): void => {
  disk.makeDirectories(`${home}/${path}`.slice(0, `${home}/${path}`.lastIndexOf('/')))
  disk.edit(`${home}/${path}`, Buffer.from(content))
}

/** The next content that is read is not what the file has. */
const falsify = ({ files }: LocalTree): void => {
  const { read } = files
  const lie: Files['read'] = async (...given) => {
    Object.assign(files, { read })
    const { block, next } = await read(...given)
    const lied = Buffer.from(block)
    lied.write('xxx', lied.indexOf('two'))
    return { block: lied, next }
  }
  Object.assign(files, { read: lie })
}

const entriesOf = (tree: LocalTree): string[] =>
  [...tree.manifest.entries()].map(({ path, digest, mode }) => `${path} ${digest} ${mode}`).sort()

const files = fc.dictionary(
  fc
    .tuple(fc.constantFrom('etc/rules', 'etc/shared', 'etc/shared/group', 'etc/lists'), fc.constantFrom('a', 'b', 'c', '..d', 'new\nline'))
    .map((parts) => parts.join('/')),
  fc.constantFrom('', 'one', 'two', 'x'.repeat(300_000)),
  { maxKeys: 8 },
)

/** Enough files for the bucket to be compared in parts. */
const manyInOneBucket = Array.from({ length: 30_000 }, (_, file) => `etc/lists/${file}`).filter((path) => bucketOf(path) === 7)

/** More than is decided on in one message. */
const longInOneBucket = Array.from({ length: 40_000 }, (_, file) => `etc/lists/${`${'long'.repeat(60)}/`.repeat(12)}${file}`).filter(
  (path) => bucketOf(path) === 8,
)

describe('integrity, both ends', () => {
  it('gives the worker the tree of the master, whatever each had, and reports it to the master', () =>
    fc.assert(
      fc.asyncProperty(
        files,
        files,
        builds,
        fc.option(fc.integer({ min: 1, max: 5 }), { nil: undefined }),
        async (ours, theirs, ofBuilds, portion) => {
          const prepare = (master: MemoryDisk, worker: MemoryDisk): void => {
            for (const [path, content] of Object.entries(ours)) write(master, path, content)
            for (const [path, content] of Object.entries(theirs)) write(worker, path, content)
          }
          const world = await setUp(prepare, undefined, ofBuilds, portion)
          await world.clock.advance(2_000)
          for (const [path, content] of Object.entries(ours)) expect(world.worker.contentOf(`${home}/${path}`).toString()).toBe(content)
          await world.scan()
          expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
          expect(world.state).toMatchObject({ inSync: true, isSyncing: false, failuresLeftOut: 0 })
          expect(world.state.files.size).toBe(0)
          expect(world.applied.length).toBeLessThanOrEqual(1)
          await world.stop()
        },
      ),
      { numRuns: runs(40) },
    ))

  it('shows at both ends which step of its round the worker is in', async () => {
    const world = await setUp(() => {})
    write(world.master, 'etc/rules/a', 'x'.repeat(2_000_000))
    const scanning = world.masterTree.scan(undefined, forever)
    const seen = { worker: new Set<string>(), master: new Set<string>() }
    for (let tenth = 0; tenth < 1_000; tenth++) {
      seen.worker.add(world.sync.state)
      seen.master.add(world.state.integrity)
      await world.clock.advance(0.1)
    }
    await scanning
    expect([...seen.worker]).toEqual(expect.arrayContaining(['transferring', 'applying']))
    expect([...seen.master]).toEqual(expect.arrayContaining(['transferring']))
    expect([world.sync.state, world.state.integrity]).toEqual(['resting', 'resting'])
    await world.stop()
  })

  it('reports how content came and how the disk was written to, where that is measured', async () => {
    const world = await setUp((master) => write(master, 'etc/rules/a', 'one'))
    await world.clock.advance(1_000)
    expect(world.state).toMatchObject({ isCompressed: false, diskWrites: undefined })
    const { files } = world.workerTree
    const { stage } = files
    const measured: Files['stage'] = async (...given) => ({ ...(await stage(...given)), diskWrites: 'together' })
    Object.assign(files, { stage: measured })
    write(world.master, 'etc/rules/a', 'two')
    await world.scan()
    await world.clock.advance(1_000)
    expect(world.state).toMatchObject({ inSync: true, isCompressed: false, diskWrites: 'together' })
    await world.stop()
  })

  it('follows an edit on the master at once, and undoes one on the worker', async () => {
    const world = await setUp((master) => write(master, 'etc/rules/a', 'one'))
    await world.clock.advance(1_000)
    write(world.master, 'etc/rules/a', 'two')
    await world.scan()
    await world.clock.advance(200)
    expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('two')
    write(world.worker, 'etc/rules/a', 'mine')
    write(world.worker, 'etc/rules/b', 'mine')
    await world.scan()
    await world.clock.advance(200)
    expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('two')
    expect(() => world.worker.contentOf(`${home}/etc/rules/b`)).toThrow()
    await world.stop()
  })

  it('follows every edit of a series, on this build and the one before, and ends in sync', () =>
    fc.assert(
      fc.asyncProperty(builds, fc.array(fc.tuple(files, fc.nat(300)), { minLength: 1, maxLength: 6 }), async (ofBuilds, series) => {
        const world = await setUp((master) => write(master, 'etc/rules/a', 'first'), undefined, ofBuilds)
        await world.clock.advance(1_000)
        for (const [edits, restMs] of series) {
          for (const [path, content] of Object.entries(edits)) write(world.master, path, content)
          await world.scan()
          await world.clock.advance(restMs / 10)
        }
        await world.clock.advance(2_000)
        await world.scan()
        expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
        expect(world.state).toMatchObject({ inSync: true, isSyncing: false })
        await world.stop()
      }),
      { numRuns: runs(40) },
    ))

  it('takes an edit that is announced without a question, whatever changed before, for few bytes', async () => {
    const world = await setUp((master) => {
      for (let file = 0; file < 300; file++) write(master, `etc/rules/${file}`, 'one')
    })
    await world.clock.advance(1_000)
    for (let file = 20; file < 70; file++) write(world.master, `etc/rules/${file}`, 'two')
    await world.scan()
    await world.clock.advance(1_000)
    expect(world.state).toMatchObject({ inSync: true, isSyncing: false })
    const frames = world.pair.master.counters.framesSent
    const lines = world.masterLog.lines.length
    const before = { ...world.pair.worker.counters }
    write(world.master, 'etc/rules/7', 'two')
    const scan = world.masterTree.scan(['etc/rules/7'], forever)
    await world.clock.advance(100)
    await scan
    expect(world.worker.contentOf(`${home}/etc/rules/7`).toString()).toBe('two')
    expect(world.pair.worker.counters.bytesSent - before.bytesSent).toBeLessThan(150)
    expect(world.pair.worker.counters.bytesReceived - before.bytesReceived).toBeLessThan(350)
    expect(world.pair.master.counters.framesSent - frames).toBe(1)
    expect(world.masterLog.lines.slice(lines)).toEqual([
      'info [-] [Integrity sync] Starting.',
      'info [-] [Integrity sync] Files to create in worker: 0 | Files to update in worker: 1 | Files to delete in worker: 0',
      expect.stringMatching(/Finished in /),
    ])
    expect(world.masterLog.lines.slice(lines).filter((line) => line.includes('Received metadata'))).toEqual([])
    expect(world.state).toMatchObject({ inSync: true, isSyncing: false })
    await world.stop()
  })

  it('takes the content of files that change in quick succession out of their announcements', () =>
    fc.assert(
      fc.asyncProperty(fc.array(fc.nat(8), { minLength: 1, maxLength: 8 }), async (rests) => {
        const world = await setUp((...disks) => {
          for (const disk of disks) for (let file = 0; file < 8; file++) write(disk, `etc/rules/${file}`, 'one')
        })
        await world.clock.advance(1_000)
        const scans = []
        for (const [file, restTenthMs] of rests.entries()) {
          write(world.master, `etc/rules/${file}`, `new ${file}`)
          scans.push(world.masterTree.scan([`etc/rules/${file}`], forever))
          await world.clock.advance(restTenthMs / 10)
        }
        await world.clock.advance(1_000)
        await Promise.all(scans)
        expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
        expect(world.state).toMatchObject({ inSync: true, isSyncing: false })
        const hasFetched = world.state.isCompressed !== undefined
        expect(hasFetched).toBe(false)
        await world.stop()
      }),
      { numRuns: runs(40) },
    ))

  it('finds what differs in buckets of many files, on nodes of this build and the one before', () =>
    fc.assert(
      fc.asyncProperty(
        builds,
        fc.array(fc.nat(manyInOneBucket.length - 1), { maxLength: 100 }),
        fc.array(fc.nat(manyInOneBucket.length - 1), { maxLength: 5 }),
        async (ofBuilds, onWorker, edited) => {
          const prepare = (master: MemoryDisk, worker: MemoryDisk): void => {
            for (const path of manyInOneBucket) write(master, path, 'one')
            for (const index of onWorker) write(worker, manyInOneBucket[index] ?? '', index % 2 === 0 ? 'one' : 'other')
          }
          const world = await setUp(prepare, undefined, ofBuilds)
          await world.clock.advance(2_000)
          for (const index of edited) write(world.worker, manyInOneBucket[index] ?? '', 'mine')
          await world.scan()
          await world.clock.advance(2_000)
          await world.scan()
          expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
          expect(world.state).toMatchObject({ inSync: true, isSyncing: false })
          await world.stop()
        },
      ),
      { numRuns: runs(20) },
    ))

  it('asks for parts of a bucket only when it has many of its files, or the bucket is too large', async () => {
    const asked: string[] = []
    const world = await setUp(() => undefined)
    const { worker } = world.pair
    const request = worker.request.bind(worker)
    const noting: typeof worker.request = (type, ...rest) => {
      asked.push(type)
      return request(type, ...rest)
    }
    Object.defineProperty(worker, 'request', { value: noting, configurable: true })
    const questions = async (paths: readonly string[], content: string): Promise<readonly string[]> => {
      asked.length = 0
      for (const path of paths) write(world.master, path, content)
      await world.scan()
      await world.clock.advance(2_000)
      expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
      return asked.filter((type) => /compare|parts/.test(type))
    }
    expect(await questions(manyInOneBucket, 'one')).toEqual(['integrity.compare'])
    expect(await questions(manyInOneBucket, 'two')).toEqual(['integrity.parts', 'integrity.compareParts'])
    expect(await questions(longInOneBucket, 'one')).toEqual([
      'integrity.compare',
      'integrity.parts',
      expect.stringContaining('Parts'),
      expect.stringContaining('Parts'),
    ])
    await world.stop()
  })

  it('is refused, with the limit, when the master has more files than are synced', async () => {
    const world = await setUp((master) => write(master, 'etc/rules/a', 'one'))
    await world.clock.advance(1_000)
    write(world.worker, 'etc/rules/b', 'mine')
    Object.defineProperty(world.masterTree.manifest, 'files', { value: limits.manifestEntriesMax + 1, configurable: true })
    await world.scan()
    await world.clock.advance(3 * intervalMs)
    const sentence = `The master's synced directories have ${limits.manifestEntriesMax + 1} files, and trees of at most ${limits.manifestEntriesMax} files are synced.`
    const about = (lines: readonly string[]): readonly string[] => lines.filter((line) => line.includes(sentence))
    expect([about(world.masterLog.lines).length, about(world.workerLog.lines).length]).toEqual([1, 1])
    expect(world.state.refusal).toMatchObject({ code: 'tooLarge', message: sentence })
    expect(world.worker.contentOf(`${home}/etc/rules/b`).toString()).toBe('mine')
    await world.stop()
  })

  it('takes small content out of the announcement, and fetches what of it is false or too large', () =>
    fc.assert(
      fc.asyncProperty(fc.constantFrom('true', 'false', 'large'), fc.nat(2), async (kind, others) => {
        const world = await setUp((master) => write(master, 'etc/rules/a', 'one'))
        await world.clock.advance(1_000)
        const before = world.pair.worker.counters.framesSent
        const content = kind === 'large' ? 'x'.repeat(2 * limits.announcedContentBytesMax) : 'two'
        for (let other = 0; other < others; other++) write(world.master, `etc/rules/other-${other}`, `other ${other}`)
        write(world.master, 'etc/rules/a', content)
        if (kind === 'false') falsify(world.masterTree)
        await world.scan()
        await world.clock.advance(1_000)
        expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe(content)
        const frames = world.pair.worker.counters.framesSent - before
        if (kind === 'true') expect(frames).toBe(1)
        else expect(frames).toBeGreaterThan(1)
        await world.stop()
      }),
      { numRuns: runs(20) },
    ))

  it('survives a false announcement: the next check finds the real difference', () =>
    fc.assert(
      fc.asyncProperty(files, files, async (ours, untrue) => {
        const world = await setUp((master) => {
          for (const [path, content] of Object.entries(ours)) write(master, path, content)
        })
        await world.clock.advance(1_000)
        const lies = Object.entries(untrue).map(([path, content], index) => {
          const digest = index % 2 === 0 ? '5'.repeat(64) : createHash('sha256').update(content).digest('hex')
          return { path, size: content.length, mode: 0o660, digest }
        })
        const since = world.workerTree.manifest.root().subarray(0, shortRootBytes)
        const removed = Object.keys(ours).filter((path) => !(path in untrue))
        const root = new Uint8Array(32)
        world.pair.master.notify('integrity.changed', { root, since, entries: encodeEntries(lies), removed: removed.join('\0') })
        await world.clock.advance(3_000)
        await world.scan()
        expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
        expect(world.state).toMatchObject({ inSync: true, isSyncing: false })
        expect(world.applied.length).toBeLessThanOrEqual(4)
        await world.stop()
      }),
      { numRuns: runs(30) },
    ))

  it('shows a file that is announced as pending until the worker has it', async () => {
    const world = await setUp((master) => write(master, 'etc/rules/a', 'one'))
    await world.clock.advance(1_000)
    expect(world.state.inSync).toBe(true)
    write(world.master, 'etc/rules/a', 'x'.repeat(2_000_000))
    const scan = world.masterTree.scan(undefined, forever)
    await world.clock.runUntil(() => world.state.files.size > 0, 100)
    await scan
    expect([...world.state.files]).toEqual([['etc/rules/a', { state: 'pending' }]])
    expect(world.state.isSyncing).toBe(true)
    await world.clock.advance(1_000)
    expect(world.state).toMatchObject({ inSync: true, isSyncing: false })
    await world.stop()
  })

  it('follows an edit during a transfer as soon as it is known, whenever that is', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }), async (editedTenthMs, knownTenthMs) => {
        const world = await setUp(() => {})
        write(world.master, 'etc/rules/a', 'x'.repeat(2_000_000))
        const scanning = world.masterTree.scan(undefined, forever)
        await world.clock.advance(editedTenthMs / 10)
        write(world.master, 'etc/rules/a', 'y'.repeat(2_000_001))
        await world.clock.advance(knownTenthMs / 10)
        const scanningAgain = world.masterTree.scan(undefined, forever)
        await world.clock.advance(intervalMs / 3)
        await Promise.all([scanning, scanningAgain])
        expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('y'.repeat(2_000_001))
        await world.stop()
      }),
      { numRuns: runs(40) },
    ))

  it('applies a large plan in portions: the stage holds no more than the limit, and deletions come last', async () => {
    const stage = `${home}/queue/cluster/w1`
    let stagedMax = 0
    let filesAtFirstDelete = 0
    const world = await setUp(
      (master, worker) => {
        for (let file = 0; file < 30; file++) write(master, `etc/lists/${file % 4}/${file}`, `new ${file}`)
        for (let file = 0; file < 10; file++) write(worker, `etc/lists/old/${file}`, `old ${file}`)
        // A directory of the worker where the master has a file, and the other way round.
        write(master, 'etc/rules/a', 'a file')
        write(master, 'etc/rules/b/c', 'below')
        write(worker, 'etc/rules/a/x/y', 'below')
        write(worker, 'etc/rules/b', 'a file')
        worker.onStep = (operation, path) => {
          if (operation === 'sync') stagedMax = Math.max(stagedMax, worker.readdir(stage).length)
          if (operation === 'unlink' && path.startsWith(`${home}/etc/lists`) && filesAtFirstDelete === 0)
            filesAtFirstDelete = [0, 1, 2, 3].flatMap((dir) => worker.readdir(`${home}/etc/lists/${dir}`)).length
        }
      },
      undefined,
      undefined,
      4,
    )
    await world.clock.advance(2_000)
    world.worker.onStep = undefined
    expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
    expect(stagedMax).toBe(2)
    expect(filesAtFirstDelete).toBe(30)
    expect(world.applied).toHaveLength(1)
    expect(world.workerLog.lines.filter((line) => line.startsWith('error'))).toEqual([])
    await world.stop()
  })

  it('carries out a plan in portions in one round, wherever content is and whatever is written over it', () =>
    fc.assert(
      // With a delay the next portion is on the worker before one is applied.
      fc.asyncProperty(files, files, fc.integer({ min: 1, max: 4 }), fc.constantFrom(0, 200), async (ours, theirs, filesMax, delayMs) => {
        const prepare = (master: MemoryDisk, worker: MemoryDisk): void => {
          for (const [path, content] of Object.entries(ours)) write(master, path, content)
          for (const [path, content] of Object.entries(theirs)) write(worker, path, content)
        }
        const world = await setUp(prepare, undefined, undefined, filesMax, delayMs)
        await world.clock.advance(8_000)
        expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
        expect(world.applied.length).toBeLessThanOrEqual(1)
        await world.stop()
      }),
      { numRuns: runs(100) },
    ))

  it('asks for a reload at the end of the next round when a round that changed rules broke off', async () => {
    const world = await setUp(
      (master, worker) => {
        write(master, 'etc/rules/a', 'one')
        write(master, 'etc/client.keys', 'two')
        worker.onStep = (operation, path) => {
          if (operation === 'rename' && path === `${home}/etc/rules/a`)
            worker.fail({ operation: 'readdir', code: 'EIO', path: `${home}/queue/cluster/w1` })
        }
      },
      undefined,
      undefined,
      1,
    )
    await world.clock.advance(2_000)
    expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('one')
    expect(world.reloads).toEqual([])
    world.worker.onStep = undefined
    world.worker.heal()
    await world.clock.advance(2 * intervalMs)
    expect(world.worker.contentOf(`${home}/etc/client.keys`).toString()).toBe('two')
    expect(world.reloads).toEqual([true])
    await world.stop()
  })

  it('is in sync, and at rest, although the master cannot read one of its files', async () => {
    const world = await setUp((master, worker) => {
      write(master, 'etc/rules/a', 'one')
      write(master, 'etc/rules/b', 'new')
      write(worker, 'etc/rules/a', 'old')
      master.fail({ operation: 'open', code: 'EACCES', path: `${home}/etc/rules/a` })
    })
    await world.clock.advance(2_000)
    expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('old')
    expect(world.worker.contentOf(`${home}/etc/rules/b`).toString()).toBe('new')
    expect(world.state).toMatchObject({ inSync: true, isSyncing: false })
    expect(world.applied).toHaveLength(1)
    await world.stop()
  })

  it('rests before it repeats a plan that does not make the trees the same', async () => {
    const world = await setUp(
      (master) => write(master, 'etc/rules/a', 'one'),
      (clock) => new ModelessDisk({ now: () => clock.now() }),
    )
    await world.clock.advance(10 * intervalMs)
    expect(world.applied.length).toBeGreaterThanOrEqual(5)
    // A plan each interval, and one more that its proof led to.
    expect(world.applied.length).toBeLessThanOrEqual(24)
    await world.stop()
  })

  it('reports what could not be written, file by file, and repairs it once it can', async () => {
    let heal = (): void => {}
    const world = await setUp((master, worker) => {
      write(master, 'etc/rules/a', 'one')
      write(master, 'etc/lists/b', 'two')
      heal = worker.fail({ operation: 'rename', code: 'EACCES', path: `${home}/etc/rules/a` })
    })
    await world.clock.advance(2_000)
    expect(world.worker.contentOf(`${home}/etc/lists/b`).toString()).toBe('two')
    expect([...world.state.files]).toMatchObject([['etc/rules/a', { state: 'failed' }]])
    expect(world.state).toMatchObject({ inSync: false, isSyncing: false })
    heal()
    await world.clock.advance(2 * intervalMs)
    expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('one')
    expect(world.state).toMatchObject({ inSync: true })
    expect(world.state.files.size).toBe(0)
    await world.stop()
  })

  it('survives the loss of its link at any moment, and keeps nothing of it', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 120 }), async (ms) => {
        const world = await setUp((master) => {
          for (let file = 0; file < 20; file++) write(master, `etc/rules/${file}`, 'x'.repeat(file * 10_000))
        })
        write(world.master, 'etc/rules/new', 'y'.repeat(500_000))
        const scanning = world.masterTree.scan(undefined, forever)
        await world.clock.advance(ms / 10)
        world.pair.worker.close('error', new ClusterError('linkLost'))
        await world.clock.advance(1_000)
        await scanning
        expect(world.ends).toEqual([])
        await world.stop()
      }),
      { numRuns: runs(25) },
    ))
})
