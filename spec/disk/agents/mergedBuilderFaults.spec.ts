import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { groupsHash } from '../../../src/domain/agents/groups.js'
import {
  editGroups,
  expectedMerged,
  groupEdits,
  groupLists,
  mergedOf,
  multigroupPath,
  nothing,
  presentMerged,
  startedWorld,
} from '../../support/agents/groupEdits.js'
import { filesBelow } from '../../support/files/diskWorlds.js'

class Crash extends Error {}

describe('a merged.mg that cannot be built', () => {
  it('stays as it was when it would be too large', () => {
    const world = startedWorld()
    world.write('etc/shared/g/x', 'x')
    const merged = mergedOf(world)
    merged.build([])
    world.write('etc/shared/g/big', Buffer.alloc(limits.mergedBytesMax))
    expect(merged.build([])).toMatchObject({
      written: [],
      problems: [expect.stringMatching(/^'etc\/shared\/g\/merged.mg' is not built: it would have/)],
    })
    expect(world.read('etc/shared/g/merged.mg')).toBe('#g\n!1 x\nx')
  })

  it.each(['open', 'read', 'lstat'] as const)(
    'because a file fails to %s is named and stays, with those of its lists; the others are built',
    (operation) => {
      const world = startedWorld()
      for (const group of ['a', 'b', 'c']) world.write(`etc/shared/${group}/x`, 'one')
      const merged = mergedOf(world)
      merged.build([['b', 'a']])
      for (const group of ['a', 'b', 'c']) world.write(`etc/shared/${group}/x`, 'two!')
      const heal = world.disk.fail({ operation, code: 'EIO', path: '/home/etc/shared/a/x' })
      expect(merged.build([['b', 'a']])).toEqual({
        written: ['etc/shared/b/merged.mg', 'etc/shared/c/merged.mg'],
        removed: [],
        problems: [expect.stringMatching(/^'etc\/shared\/a\/x' could not be read \(EIO: /)],
      })
      expect(world.read(multigroupPath('b', 'a'))).toBe(`#${groupsHash(['b', 'a'])}\n!3 x\none`)
      heal()
      expect(merged.build([['b', 'a']]).written).toEqual(['etc/shared/a/merged.mg', multigroupPath('b', 'a')])
      expect(presentMerged(world)).toEqual(expectedMerged(world, [['b', 'a']]))
    },
  )

  it('is never torn by a file that changes while it is read; it is a problem only when it lasts', () => {
    for (const change of ['write', 'remove'] as const) {
      const world = startedWorld()
      world.write('etc/shared/g/x', 'one')
      const merged = mergedOf(world)
      merged.build([])
      const before = world.read('etc/shared/g/merged.mg')
      const disturb = (): void => {
        let isDone = false
        world.disk.onStep = (operation, path) => {
          if (isDone || operation !== (change === 'write' ? 'read' : 'open') || path !== '/home/etc/shared/g/x') return
          isDone = true
          world.clock.nowMs += 1
          if (change === 'write') world.write('etc/shared/g/x', 'longer')
          else world.remove('etc/shared/g/x')
        }
      }
      for (const problems of [[], [`'etc/shared/g/merged.mg' is not built: 'etc/shared/g/x' keeps changing.`]]) {
        world.write('etc/shared/g/x', 'two')
        disturb()
        expect(merged.build([])).toEqual({ written: [], removed: [], problems })
        expect(world.read('etc/shared/g/merged.mg')).toBe(before)
      }
      world.disk.onStep = undefined
      merged.build([])
      expect(presentMerged(world)).toEqual(expectedMerged(world, []))
    }
  })

  it('because its group is removed meanwhile does not bring the group back', () => {
    const moments = { 'readdir /home/etc/shared/g': 0, 'open /home/etc/shared/g/x': 0, 'close /home/etc/shared/g/x': 1 }
    for (const [moment, problems] of Object.entries(moments)) {
      const world = startedWorld()
      world.write('etc/shared/g/x', 'x')
      const merged = mergedOf(world)
      world.disk.onStep = (operation, path) => {
        if (`${operation} ${path}` === moment) world.disk.remove('/home/etc/shared/g')
      }
      expect(merged.build([])).toEqual({ ...nothing, problems: Array.from({ length: problems }, () => expect.stringMatching('ENOENT')) })
      world.disk.onStep = undefined
      expect(merged.build([])).toEqual(nothing)
      expect(world.exists('etc/shared/g')).toBe(false)
    }
  })

  it('because something is in its place is reported, and nothing is written elsewhere', () => {
    const world = startedWorld()
    world.write('etc/shared/g/x', 'x')
    world.write('etc/shared/h/merged.mg/y', 'y')
    world.mkdir('etc/elsewhere')
    world.symlink('../../etc/elsewhere', multigroupPath('g', 'h').replace('/merged.mg', ''))
    const { problems, written } = mergedOf(world).build([['g', 'h']])
    expect(written).toEqual(['etc/shared/g/merged.mg'])
    expect(problems).toEqual([
      expect.stringMatching(/^'etc\/shared\/h\/merged.mg' could not be written \(EISDIR/),
      `'var/multigroups/${groupsHash(['g', 'h'])}' is in the way: it is not a directory.`,
    ])
    expect(filesBelow(world, 'etc/elsewhere').size).toBe(0)
  })
})

describe('a build that is cut short', () => {
  it('by a crash, with or without power, leaves each merged.mg old or new, and the next one finishes', () =>
    fc.assert(
      fc.property(
        groupEdits,
        groupEdits,
        groupLists,
        groupLists,
        fc.integer({ min: 1, max: 150 }),
        fc.boolean(),
        (first, second, hadLists, newLists, step, isPower) => {
          const world = startedWorld()
          for (const change of first) editGroups(world, change)
          mergedOf(world).build(hadLists)
          for (const change of second) editGroups(world, change)
          const before = presentMerged(world)
          const wanted = expectedMerged(world, newLists)
          let calls = 0
          world.disk.onStep = () => {
            if (++calls >= step) throw new Crash()
          }
          try {
            mergedOf(world).build(newLists)
          } catch (thrown) {
            if (!(thrown instanceof Crash)) throw thrown
          }
          world.disk.onStep = undefined
          if (isPower) world.disk.crash()
          else world.disk.killProcess()
          for (const [path, content] of presentMerged(world)) expect([before.get(path), wanted.get(path)]).toContain(content)
          for (const path of before.keys()) if (wanted.has(path)) expect(presentMerged(world).has(path)).toBe(true)
          mergedOf(world).build(newLists)
          expect(presentMerged(world)).toEqual(wanted)
          const ours = [...filesBelow(world, 'etc').keys(), ...filesBelow(world, 'var').keys()].filter((path) => path.includes('.muster-'))
          expect(ours).toEqual([])
        },
      ),
      { numRuns: 300 },
    ))

  it('by a crash leaves nothing behind, even when there is nothing to write any more', () => {
    const world = startedWorld()
    world.write('etc/shared/g/x', 'one')
    mergedOf(world).build([])
    world.write('etc/shared/g/x', 'two')
    world.disk.onStep = (operation) => {
      if (operation === 'rename') throw new Crash()
    }
    expect(() => mergedOf(world).build([])).toThrow(Crash)
    world.disk.onStep = undefined
    world.write('etc/shared/g/x', 'one')
    expect(mergedOf(world).build([])).toEqual(nothing)
    expect([...filesBelow(world, 'etc').keys()].sort()).toEqual(['etc/shared/g/merged.mg', 'etc/shared/g/x'])
  })

  it('by a disk that fails in any call is reported, breaks nothing, and the next one finishes', () => {
    const faults = fc.record({
      operation: fc.constantFrom(
        'lstat',
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
        'close',
      ),
      code: fc.constantFrom('EIO', 'EACCES', 'ENOSPC', 'EMFILE', 'EROFS'),
    } as const)
    fc.assert(
      fc.property(groupEdits, groupEdits, groupLists, faults, (first, second, list, fault) => {
        const world = startedWorld()
        const merged = mergedOf(world)
        for (const change of first) editGroups(world, change)
        merged.build(list)
        for (const change of second) editGroups(world, change)
        const before = presentMerged(world)
        const wanted = expectedMerged(world, list)
        const heal = world.disk.fail({ ...fault, path: '/home' })
        const { problems } = merged.build(list)
        heal()
        for (const [path, content] of presentMerged(world)) expect([before.get(path), wanted.get(path)]).toContain(content)
        if (
          JSON.stringify([...presentMerged(world)]) === JSON.stringify([...before]) &&
          JSON.stringify([...before].sort()) !== JSON.stringify([...wanted].sort())
        )
          expect(problems).not.toEqual([])
        merged.build(list)
        expect(presentMerged(world)).toEqual(wanted)
      }),
      { numRuns: 300 },
    )
  })

  it('by a full disk goes on when there is space', () => {
    const world = startedWorld({ capacityBytes: 30_000 })
    world.write('etc/shared/g/x', 'x'.repeat(20_000))
    world.write('etc/shared/h/x', 'x')
    const merged = mergedOf(world)
    expect(merged.build([])).toEqual({
      written: ['etc/shared/h/merged.mg'],
      removed: [],
      problems: [expect.stringMatching(/^'etc\/shared\/g\/merged.mg' could not be written \(ENOSPC: /)],
    })
    expect(world.disk.usedBytes).toBeLessThan(20_100)
    world.write('etc/shared/g/x', 'x'.repeat(10_000))
    expect(merged.build([])).toMatchObject({ written: ['etc/shared/g/merged.mg'], problems: [] })
  })
})
