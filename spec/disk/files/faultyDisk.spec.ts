import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decidePlan } from '../../../src/domain/files/syncPlan.js'
import { createMemoryWorld, filesBelow, type MemoryWorld } from '../../support/files/diskWorlds.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { edit, expectedEntries, sha256, type TreeEdit, treeEdits } from '../../support/files/treeEdits.js'
import { syncRound, TreeNode, transfer } from '../../support/files/treeNodes.js'
import { runs } from '../../support/runs.js'

class Crash extends Error {}

/** Runs `act` on a disk that stops answering at its n-th call; returns whether it got that far. */
const crashingAt = (world: MemoryWorld, step: number, act: () => void): boolean => {
  let steps = 0
  world.disk.onStep = () => {
    if (++steps >= step) throw new Crash()
  }
  try {
    act()
    return false
  } catch (thrown) {
    if (!(thrown instanceof Crash)) throw thrown
    return true
  } finally {
    world.disk.onStep = undefined
  }
}

const worldOf = (edits: readonly TreeEdit[], options: Parameters<typeof createMemoryWorld>[0] = {}): MemoryWorld => {
  const world = createMemoryWorld(options)
  world.mkdir('etc/shared')
  world.mkdir('etc/rules')
  for (const change of edits) edit(world, change)
  return world
}

const cleanEdits = treeEdits.map((edits) => edits.filter((change) => !/ar\.conf|~/.test(change.path)))
const mounts = fc.constantFrom<readonly string[]>([], ['/home/queue'])

describe('a crash of the worker', () => {
  it('at any call of the disk, with or without power loss, leaves each file old or new', () =>
    fc.assert(
      fc.property(
        cleanEdits,
        cleanEdits,
        fc.integer({ min: 1, max: 400 }),
        fc.boolean(),
        mounts,
        (masterEdits, workerEdits, step, isPower, separate) => {
          const master = new TreeNode(worldOf(masterEdits), 'master', synced)
          const away = worldOf(workerEdits, { mounts: separate })
          const before = expectedEntries(away, synced, 'worker')
          const wanted = expectedEntries(master.world, synced, 'master')
          crashingAt(away, step, () => syncRound(master, new TreeNode(away, 'worker', synced)))
          if (isPower) away.disk.crash()
          else away.disk.killProcess()
          const digestOf = (entry: string | undefined): string | undefined => entry?.slice(entry.indexOf(' ') + 1)
          const left = expectedEntries(away, synced, 'worker')
          for (const path of new Set([...before.keys(), ...wanted.keys(), ...left.keys()]))
            expect([digestOf(before.get(path)), digestOf(wanted.get(path)), undefined]).toContain(digestOf(left.get(path)))
          // Only what had to go is gone, or what was not there yet.
          for (const [path] of before) if (wanted.has(path)) expect(left.has(path)).toBe(true)
          expect(syncRound(master, new TreeNode(away, 'worker', synced)).failures).toEqual(new Map())
          expect(expectedEntries(away, synced, 'worker')).toEqual(wanted)
          // Nothing of ours is left outside the stage.
          expect([...filesBelow(away, 'etc').keys()].filter((path) => path.includes('.muster-'))).toEqual([])
          expect(away.disk.openFiles).toBe(0)
        },
      ),
      { numRuns: runs(400) },
    ))

  it('with whole content in the stage does not send it again', () => {
    const master = new TreeNode(worldOf([]), 'master', synced)
    const content = 'content '.repeat(50_000)
    for (let index = 0; index < 3; index++) master.world.write(`etc/rules/${index}`, `${content}${index}`)
    const away = worldOf([])
    const first = new TreeNode(away, 'worker', synced)
    master.check()
    first.check()
    const plan = decidePlan(master.entries(), first.entries())
    transfer(master, first, plan)
    away.disk.crash()
    const second = new TreeNode(away, 'worker', synced)
    const { bytes, failures } = transfer(master, second, plan)
    expect(failures).toEqual(new Map())
    expect(bytes).toBeLessThan(200)
  })
})

describe('a disk that fails', () => {
  const faults = fc.record({
    operation: fc.constantFrom(
      'lstat',
      'stat',
      'realpath',
      'readdir',
      'open',
      'openDirectory',
      'fstat',
      'read',
      'write',
      'sync',
      'rename',
      'unlink',
      'rmdir',
      'mkdir',
      'chmod',
    ),
    code: fc.constantFrom('EIO', 'EACCES', 'EROFS', 'ENOSPC', 'EMFILE', 'EXDEV'),
  } as const)

  it('in any operation is reported per file, the rest is applied, and the next round repairs it', () =>
    fc.assert(
      fc.property(cleanEdits, cleanEdits, faults, fc.boolean(), (masterEdits, workerEdits, fault, isMasters) => {
        const master = new TreeNode(worldOf(masterEdits), 'master', synced)
        const away = worldOf(workerEdits)
        const worker = new TreeNode(away, 'worker', synced)
        const wanted = expectedEntries(master.world, synced, 'master')
        const before = expectedEntries(away, synced, 'worker')
        master.check()
        const faulty = isMasters ? (master.world as MemoryWorld) : away
        const stop = faulty.disk.fail({ ...fault, path: isMasters ? '/home/etc' : '/home' })
        try {
          syncRound(master, worker)
        } catch (thrown) {
          // Only an error that concerns no single file may be thrown, and only as the disk reported it.
          expect(thrown).toMatchObject({ code: fault.code })
        }
        stop()
        if (isMasters)
          for (const [path, entry] of before)
            if (wanted.get(path) === entry) expect(expectedEntries(away, synced, 'worker').get(path)).toBe(entry)
        worker.tree.close()
        expect(away.disk.openFiles).toBe(0)
        expect(syncRound(master, worker).failures).toEqual(new Map())
        expect(expectedEntries(away, synced, 'worker')).toEqual(wanted)
      }),
      { numRuns: runs(300) },
    ))

  it('because it is full is reported per file, frees its space, and goes on when there is some', () => {
    const master = new TreeNode(worldOf([]), 'master', synced)
    master.world.write('etc/rules/big', 'b'.repeat(600_000))
    master.world.write('etc/rules/small', 'small')
    const away = createMemoryWorld({ capacityBytes: 500_000 })
    away.write('etc/rules/ballast', 'old')
    away.write('etc/rules/big', 'old')
    const worker = new TreeNode(away, 'worker', synced)
    const { failures } = syncRound(master, worker)
    expect(failures).toEqual(new Map([['etc/rules/big', 'diskFull']]))
    expect(away.read('etc/rules/big')).toBe('old')
    expect(away.read('etc/rules/small')).toBe('small')
    expect(away.disk.usedBytes).toBeLessThan(100)
    master.world.write('etc/rules/big', 'b'.repeat(300_000))
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(away, 'etc')).toEqual(filesBelow(master.world, 'etc'))
  })

  it('in a read-only directory fails the files in it and applies the rest', () => {
    const master = new TreeNode(worldOf([]), 'master', synced)
    for (const dir of ['closed', 'open']) master.world.write(`etc/rules/${dir}/new`, dir)
    const away = worldOf([])
    for (const dir of ['closed', 'open']) away.write(`etc/rules/${dir}/old`, 'old')
    for (const operation of ['rename', 'unlink'] as const) away.disk.fail({ operation, code: 'EROFS', path: '/home/etc/rules/closed' })
    const { applied } = syncRound(master, new TreeNode(away, 'worker', synced))
    expect(applied.failures.map((failure) => failure.path)).toEqual(['etc/rules/closed/new', 'etc/rules/closed/old'])
    expect(applied.failures[0]?.message).toMatch(/^'etc\/rules\/closed\/new' could not be written \(EROFS: /)
    expect([...filesBelow(away, 'etc').keys()]).toEqual(['etc/rules/closed/old', 'etc/rules/open/new'])
  })

  it('of a master that lost its directories costs the workers nothing', () => {
    const master = new TreeNode(worldOf([]), 'master', synced)
    master.world.write('etc/rules/a', 'one')
    const worker = new TreeNode(worldOf([]), 'worker', synced)
    syncRound(master, worker)
    master.world.remove('etc')
    expect(syncRound(master, worker).plan).toEqual({ create: [], update: [], remove: [] })
    expect(worker.world.read('etc/rules/a')).toBe('one')
    master.world.write('etc/rules/a', 'two')
    syncRound(master, worker)
    expect(worker.manifest.get('etc/rules/a')?.digest).toBe(sha256('two'))
  })
})
