import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MergedFiles } from '../../../src/disk/agents/mergedBuilder.js'
import { groupsHash } from '../../../src/domain/agents/groups.js'
import { defaultSyncedItems } from '../../../src/domain/files/syncedItems.js'
import {
  changesReported,
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
import { unpackMerged } from '../../support/agents/unpackedMerged.js'
import { createNodeWorld, filesBelow, type MemoryWorld } from '../../support/files/diskWorlds.js'

/** Paths that are opened, written or changed while `act` runs; stats and listings do not count. */
const touchedBy = (world: MemoryWorld, act: () => void): string[] => {
  const touched: string[] = []
  world.disk.onStep = (operation, path) => {
    if (!['lstat', 'stat', 'readdir', 'realpath'].includes(operation)) touched.push(`${operation} ${path}`)
  }
  act()
  world.disk.onStep = undefined
  return touched
}

describe('merged files', () => {
  it('match their inputs after any edits, creations and removals, and the next build writes nothing', () =>
    fc.assert(
      fc.property(groupEdits, fc.array(groupLists, { minLength: 1, maxLength: 3 }), (changes, wanted) => {
        const world = startedWorld()
        const merged = mergedOf(world)
        for (const change of changes) {
          editGroups(world, change)
          if (change.kind === 'build') merged.build(wanted[0] ?? [])
        }
        for (const list of wanted) {
          merged.build(list)
          expect(presentMerged(world)).toEqual(expectedMerged(world, list))
          expect(merged.build(list)).toMatchObject({ written: [], removed: [] })
          // So does a build without memory, as after a restart.
          expect(mergedOf(world).build(list)).toMatchObject({ written: [], removed: [] })
        }
        const modes = new Set([...presentMerged(world).keys()].map((path) => world.modeOf(path)))
        expect([...modes].filter((mode) => mode !== 0o660)).toEqual([])
        expect(filesBelow(world, 'var').size).toBe([...presentMerged(world).keys()].filter((path) => path.startsWith('var/')).length)
        expect(world.disk.openFiles).toBe(0)
      }),
      { numRuns: 300 },
    ))

  it('are the same when each build is given what changed as when it checks everything', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(groupEdits, groupLists, fc.boolean()), { minLength: 1, maxLength: 6 }), (rounds) => {
        const world = startedWorld()
        const merged = mergedOf(world)
        const received = changesReported(world)
        for (const [edits, list, isLater] of rounds) {
          for (const edit of edits) editGroups(world, edit)
          if (isLater) world.age()
          const { problems } = merged.build(list, received())
          // A build that is given no path still checks what no path shows: which groups exist.
          merged.build(list, [])
          expect(presentMerged(world)).toEqual(expectedMerged(world, list))
          expect(problems).toEqual([])
          expect(merged.build(list)).toMatchObject({ written: [], removed: [] })
          received()
        }
      }),
      { numRuns: 150 },
    ))

  it('of one group are the only files checked when only that group is given as changed', () => {
    const world = startedWorld()
    for (const group of ['a', 'b', 'c']) world.write(`etc/shared/${group}/x`, group)
    const merged = mergedOf(world)
    const lists = [['a', 'b']]
    merged.build(lists)
    world.age()
    merged.build(lists)
    world.write('etc/shared/c/x', 'C')
    const steps: string[] = []
    world.disk.onStep = (operation, path) => steps.push(`${operation} ${path}`)
    expect(merged.build(lists, ['etc/shared/c/x']).written).toEqual(['etc/shared/c/merged.mg'])
    expect(steps.filter((step) => /shared\/[ab](\/|$)|multigroups/.test(step))).toEqual([])
    steps.length = 0
    // The scan of the tree also reports what was written here.
    expect(merged.build(lists, ['etc/shared/c/merged.mg'])).toEqual(nothing)
    expect(steps.filter((step) => /shared\/c\/x|shared\/[ab](\/|$)|multigroups/.test(step))).toEqual([])
  })

  it('that could not be built are tried again by a build that is given no changes', () => {
    const world = startedWorld()
    world.write('etc/shared/g/x', 'one')
    const merged = mergedOf(world)
    merged.build([])
    world.age()
    world.write('etc/shared/g/x', 'two!')
    const heal = world.disk.fail({ operation: 'write', code: 'EIO', path: '/home/etc/shared/g' })
    expect(merged.build([], ['etc/shared/g/x']).problems).toHaveLength(1)
    expect(merged.build([], []).problems).toHaveLength(1)
    heal()
    expect(merged.build([], [])).toEqual({ ...nothing, written: ['etc/shared/g/merged.mg'] })
  })

  it('are left alone, and nothing is read, while nothing changes', () => {
    const world = startedWorld()
    for (const group of ['a', 'b']) world.write(`etc/shared/${group}/agent.conf`, group)
    world.age()
    const merged = mergedOf(world)
    expect(merged.build([['a', 'b']]).written).toEqual(['etc/shared/a/merged.mg', 'etc/shared/b/merged.mg', multigroupPath('a', 'b')])
    world.age()
    merged.build([['a', 'b']])
    expect(touchedBy(world, () => expect(merged.build([['a', 'b']])).toEqual(nothing))).toEqual([])
    world.write('etc/shared/b/agent.conf', 'B')
    expect(merged.build([['a', 'b']]).written).toEqual(['etc/shared/b/merged.mg', multigroupPath('a', 'b')])
  })

  it('include an edit that comes too soon for a stat to show it, and lose edits made to themselves', () => {
    const world = startedWorld()
    world.write('etc/shared/g/x', 'one')
    const merged = mergedOf(world)
    merged.build([])
    world.write('etc/shared/g/x', 'two')
    merged.build([])
    expect(world.read('etc/shared/g/merged.mg')).toBe('#g\n!3 x\ntwo')
    merged.build([])
    world.write('etc/shared/g/merged.mg', '#g\n!3 x\nTWO')
    expect(merged.build([]).written).toEqual(['etc/shared/g/merged.mg'])
    merged.build([])
    merged.build([])
    world.write('etc/shared/g/x', 'six')
    expect(merged.build([]).written).toEqual(['etc/shared/g/merged.mg'])
    world.age()
    merged.build([])
    world.chmod('etc/shared/g/merged.mg', 0o600)
    expect(merged.build([]).written).toEqual(['etc/shared/g/merged.mg'])
    expect(world.modeOf('etc/shared/g/merged.mg')).toBe(0o660)
  })

  it('of lists that no agent has are deleted, and nothing else is', () => {
    const world = startedWorld()
    for (const group of ['a', 'b', 'c']) world.write(`etc/shared/${group}/x`, group)
    const merged = mergedOf(world)
    merged.build([['a', 'b'], ['b', 'a'], ['b', 'c'], ['a']])
    expect([...filesBelow(world, 'var').keys()].sort()).toEqual(
      [multigroupPath('a', 'b'), multigroupPath('b', 'a'), multigroupPath('b', 'c')].sort(),
    )
    world.write('var/multigroups/notes', 'kept')
    world.write('var/multigroups/ABCDEF01/merged.mg', 'kept')
    world.write(multigroupPath('b', 'a').replace('merged.mg', 'foreign'), 'kept')
    world.write('etc/elsewhere/merged.mg', 'kept')
    world.symlink('../../etc/elsewhere', 'var/multigroups/00000000')
    const { problems, removed } = merged.build([['a', 'b']])
    expect([...removed].sort()).toEqual([multigroupPath('b', 'a'), multigroupPath('b', 'c')].sort())
    expect(problems).toEqual([])
    expect(world.exists(multigroupPath('b', 'c').replace('/merged.mg', ''))).toBe(false)
    expect(filesBelow(world, 'var').get(multigroupPath('b', 'a').replace('merged.mg', 'foreign'))).toBe('660 kept')
    expect(world.read('var/multigroups/ABCDEF01/merged.mg')).toBe('kept')
    expect(world.read('etc/elsewhere/merged.mg')).toBe('kept')
  })

  it('of a list with a missing group have the others; with all groups missing they stay', () => {
    const world = startedWorld()
    world.write('etc/shared/a/x', 'a')
    world.write('etc/shared/b/y', 'b')
    const merged = mergedOf(world)
    merged.build([['a', 'b']])
    world.remove('etc/shared/b')
    expect(merged.build([['a', 'b']])).toEqual({
      written: [multigroupPath('a', 'b')],
      removed: [],
      problems: [],
    })
    world.remove('etc/shared/a')
    const before = world.read(multigroupPath('a', 'b'))
    expect(merged.build([['a', 'b']])).toMatchObject({ written: [], removed: [] })
    expect(world.read(multigroupPath('a', 'b'))).toBe(before)
  })

  it('follow a symlink to a file in etc/shared only', () => {
    const world = startedWorld()
    world.write('etc/secret', 'secret')
    world.write('etc/shared/common', 'one')
    world.mkdir('etc/shared/g')
    world.symlink('../common', 'etc/shared/g/good')
    world.symlink('../../secret', 'etc/shared/g/out')
    world.symlink('nowhere', 'etc/shared/g/dangling')
    world.symlink('loop', 'etc/shared/g/loop')
    world.symlink('..', 'etc/shared/g/up')
    world.symlink('../../secret', 'etc/shared/g/merged.mg')
    world.fifo('etc/shared/g/fifo')
    const merged = mergedOf(world)
    expect(merged.build([]).problems.map((problem) => /^'etc\/shared\/g\/(\w+)' is not merged: /.exec(problem)?.[1])).toEqual([
      'out',
      'dangling',
      'loop',
      'up',
      'fifo',
    ])
    expect(world.read('etc/shared/g/merged.mg')).toBe('#g\n!3 good\none')
    expect(world.read('etc/secret')).toBe('secret')
    world.write('etc/shared/common', 'two')
    merged.build([])
    expect(world.read('etc/shared/g/merged.mg')).toBe('#g\n!3 good\ntwo')
  })

  it('leave out names that agents could not take', () => {
    const world = startedWorld()
    for (const name of ['x', 'new\nline', [...Array.from({ length: 5 }, () => 'd'.repeat(250)), 'x'].join('/')])
      world.write(`etc/shared/g/${name}`, 'x')
    world.raw('etc/shared/g', Buffer.from([0xff]))
    world.mkdir('etc/shared/no group')
    expect(mergedOf(world).build([]).problems).toHaveLength(4)
    expect(unpackMerged(world.disk.contentOf('/home/etc/shared/g/merged.mg')).files.map(({ name }) => name)).toEqual(['x'])
  })
})

describe('on a real disk', () => {
  it('merged files are written, kept, and removed', () => {
    const world = createNodeWorld()
    try {
      const merged = new MergedFiles(world.disk, { home: world.home, synced: defaultSyncedItems })
      for (const group of ['a', 'b']) world.write(`etc/shared/${group}/agent.conf`, `<${group}/>`)
      expect(merged.build([['a', 'b']]).written).toHaveLength(3)
      expect(world.read('etc/shared/a/merged.mg')).toBe('#a\n!4 agent.conf\n<a/>')
      const joined = '<!-- Source file: a/agent.conf -->\n<a/><!-- Source file: b/agent.conf -->\n<b/>'
      expect(world.read(multigroupPath('a', 'b'))).toBe(`#${groupsHash(['a', 'b'])}\n!${joined.length} agent.conf\n${joined}`)
      expect(world.modeOf('etc/shared/a/merged.mg')).toBe(0o660)
      world.age()
      expect(merged.build([['a', 'b']])).toEqual(nothing)
      expect(merged.build([['a', 'b']])).toEqual(nothing)
      expect(merged.build([]).removed).toEqual([multigroupPath('a', 'b')])
      expect([...filesBelow(world, 'var').keys()]).toEqual([])
    } finally {
      world.dispose()
    }
  })
})
