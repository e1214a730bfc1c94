import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { integrityApply, integrityServeInput } from '../../../src/actors/files/integrity.js'
import { IntegritySync } from '../../../src/actors/files/integritySync.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { type ChildEvent, startHosted } from '../../../src/actors/kit/host.js'
import { servingThread } from '../../../src/actors/kit/servingThread.js'
import { ClusterError } from '../../../src/base/errors.js'
import { WorkerState } from '../../../src/domain/cluster/workerState.js'
import { defaultSyncedItems } from '../../../src/domain/files/syncedItems.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { createSimulatedFiles } from '../../../src/simulation/world/simulatedFiles.js'
import type { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../../support/recordingLog.js'
import { sessionPair } from '../../support/sessionPair.js'

const home = '/home'
const forever = new AbortController().signal
const intervalMs = 9_000

/** A disk without modes of its own, like some that are mounted. */
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
) => {
  const pair = await sessionPair()
  const { clock } = pair
  const master = new MemoryDisk({ now: () => clock.now() })
  const worker = newDisk(clock)
  const masterTree = treeOf(clock, master, 'master')
  const workerTree = treeOf(clock, worker, 'worker')
  prepare(master, worker)
  const state = new WorkerState()
  const [masterLog, workerLog] = [recordingLog(), recordingLog()]
  const ends: ChildEvent[] = []
  const applied: number[] = []
  const onEnd = (event: ChildEvent): void => {
    ends.push(event)
  }
  const serving = startHosted(servingThread('integrity'), {
    clock,
    input: integrityServeInput({ tree: masterTree, clock }, { link: pair.master, state, log: masterLog }),
    onEnd,
  })
  const sync = new IntegritySync({ tree: workerTree, clock, requestTimeoutMs: 20_000, compression: 'auto' })
  const applying = startHosted(
    integrityApply({ sync, tree: workerTree, clock, intervalMs, onApplied: () => applied.push(clock.monotonicMs()) }),
    { clock, input: { link: pair.worker, log: workerLog }, onEnd },
  )
  const look = async (): Promise<void> => {
    const looks = Promise.all([masterTree.scan(undefined, forever), workerTree.scan(undefined, forever)])
    await clock.advance(50)
    await looks
  }
  const stop = async (): Promise<void> => {
    serving.stop()
    applying.stop()
    pair.master.close('error')
    await clock.advance(2_000)
    expect(ends).toEqual([])
    expect(serving.timers + applying.timers).toBe(0)
  }
  await look()
  return { applied, clock, ends, look, master, masterLog, masterTree, pair, state, stop, worker, workerLog, workerTree }
}

const write = (disk: MemoryDisk, path: string, content: string): void => {
  disk.makeDirectories(`${home}/${path}`.slice(0, `${home}/${path}`.lastIndexOf('/')))
  disk.edit(`${home}/${path}`, Buffer.from(content))
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

describe('integrity, both ends', () => {
  it('makes the worker what the master is, whatever each of them had, and tells the master so', () =>
    fc.assert(
      fc.asyncProperty(files, files, async (ours, theirs) => {
        const world = await setUp((master, worker) => {
          for (const [path, content] of Object.entries(ours)) write(master, path, content)
          for (const [path, content] of Object.entries(theirs)) write(worker, path, content)
        })
        await world.clock.advance(2_000)
        for (const [path, content] of Object.entries(ours)) expect(world.worker.contentOf(`${home}/${path}`).toString()).toBe(content)
        await world.look()
        expect(entriesOf(world.workerTree)).toEqual(entriesOf(world.masterTree))
        expect(world.state).toMatchObject({ inSync: true, isSyncing: false, failuresLeftOut: 0 })
        expect(world.state.files.size).toBe(0)
        expect(world.applied.length).toBeLessThanOrEqual(1)
        await world.stop()
      }),
      { numRuns: 40 },
    ))

  it('follows an edit on the master at once, and undoes one on the worker', async () => {
    const world = await setUp((master) => write(master, 'etc/rules/a', 'one'))
    await world.clock.advance(1_000)
    write(world.master, 'etc/rules/a', 'two')
    await world.look()
    await world.clock.advance(200)
    expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('two')
    write(world.worker, 'etc/rules/a', 'mine')
    write(world.worker, 'etc/rules/b', 'mine')
    await world.look()
    await world.clock.advance(200)
    expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('two')
    expect(() => world.worker.contentOf(`${home}/etc/rules/b`)).toThrow()
    await world.stop()
  })

  it('follows an edit that comes in the middle of a transfer as soon as it is known, whenever that is', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 20 }), async (editedTenthMs, knownTenthMs) => {
        const world = await setUp(() => {})
        write(world.master, 'etc/rules/a', 'x'.repeat(2_000_000))
        const looking = world.masterTree.scan(undefined, forever)
        await world.clock.advance(editedTenthMs / 10)
        write(world.master, 'etc/rules/a', 'y'.repeat(2_000_001))
        await world.clock.advance(knownTenthMs / 10)
        const lookingAgain = world.masterTree.scan(undefined, forever)
        await world.clock.advance(intervalMs / 3)
        await Promise.all([looking, lookingAgain])
        expect(world.worker.contentOf(`${home}/etc/rules/a`).toString()).toBe('y'.repeat(2_000_001))
        await world.stop()
      }),
      { numRuns: 40 },
    ))

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

  it('does not repeat without rest what does not make the trees the same', async () => {
    const world = await setUp(
      (master) => write(master, 'etc/rules/a', 'one'),
      (clock) => new ModelessDisk({ now: () => clock.now() }),
    )
    await world.clock.advance(10 * intervalMs)
    expect(world.applied.length).toBeGreaterThanOrEqual(5)
    // Each interval a plan, and once more the plan that its proof led to.
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

  it('is not crashed by the loss of its link at any moment, and holds nothing of it', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 120 }), async (ms) => {
        const world = await setUp((master) => {
          for (let file = 0; file < 20; file++) write(master, `etc/rules/${file}`, 'x'.repeat(file * 10_000))
        })
        write(world.master, 'etc/rules/new', 'y'.repeat(500_000))
        const looking = world.masterTree.scan(undefined, forever)
        await world.clock.advance(ms / 10)
        world.pair.worker.close('error', new ClusterError('linkLost'))
        await world.clock.advance(1_000)
        await looking
        expect(world.ends).toEqual([])
        await world.stop()
      }),
      { numRuns: 25 },
    ))
})
