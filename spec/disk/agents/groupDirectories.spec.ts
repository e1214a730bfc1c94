import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { ClusterError } from '../../../src/base/errors.js'
import { GroupDirectories } from '../../../src/disk/agents/groupDirectories.js'
import { defaultSyncedItems } from '../../../src/domain/files/syncedItems.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld, filesBelow, type MemoryWorld } from '../../support/files/diskWorlds.js'

class Crash extends Error {}

const emptyConfig = '<agent_config>\n\n  <!-- Shared agent configuration here -->\n\n</agent_config>\n'
const groupsOf = (world: DiskWorld): GroupDirectories => new GroupDirectories(world.disk, { home: world.home, synced: defaultSyncedItems })

const refusalOf = (act: () => unknown): string => {
  try {
    act()
  } catch (thrown) {
    const { code, message } = thrown as ClusterError
    return `${code}: ${message}`
  }
  return 'done'
}

const worlds: DiskWorld[] = []
const opened = <World extends DiskWorld>(world: World): World => {
  worlds.push(world)
  return world
}
afterEach(() => {
  for (const world of worlds.splice(0)) world.dispose()
})

describe.each([
  ['a real disk', createNodeWorld],
  ['a disk in memory', createMemoryWorld],
])('groups on %s', (_, create) => {
  it('are the directories whose names a group can have, in order', () => {
    const world = opened(create())
    expect(groupsOf(world).groups()).toEqual([])
    for (const name of ['default', 'a b', 'B', '.hidden', 'x~']) world.mkdir(`etc/shared/${name}`)
    world.raw('etc/shared/default', Buffer.from([0xff]))
    world.write('etc/shared/file', 'no group')
    world.symlink('default', 'etc/shared/link')
    expect(groupsOf(world).groups()).toEqual(['.hidden', 'B', 'default'])
  })

  it('are made with an empty configuration, once', () => {
    const world = opened(create())
    const groups = groupsOf(world)
    groups.createGroup('web')
    expect(filesBelow(world, 'etc')).toEqual(new Map([['etc/shared/web/agent.conf', `660 ${emptyConfig}`]]))
    expect(world.modeOf('etc/shared/web')).toBe(0o770)
    expect(refusalOf(() => groups.createGroup('web'))).toBe('groupExists: The group already exists: web')
    world.write('etc/shared/file', 'x')
    expect(refusalOf(() => groups.createGroup('file'))).toMatch(/^groupInvalid: 'etc\/shared\/file' is in the way/)
    world.symlink('web', 'etc/shared/link')
    expect(refusalOf(() => groups.createGroup('link'))).toMatch(/^groupInvalid: 'etc\/shared\/link' is in the way/)
  })

  it('are never named by a path, by nothing, or by a name that is too long', () => {
    const world = opened(create())
    world.write('etc/rules/keep', 'kept')
    world.mkdir('etc/shared')
    const groups = groupsOf(world)
    for (const name of ['', '.', '..', '../rules', '/etc', 'a/b', 'a b', 'ä', 'a\n', 'x'.repeat(256)])
      for (const act of [groups.createGroup, groups.removeGroup, (group: string) => groups.groupFiles(group, 'md5')])
        expect(refusalOf(() => act.call(groups, name))).toBe('groupNameInvalid: Incorrect format for group_id')
    expect(world.read('etc/rules/keep')).toBe('kept')
  })

  it('are removed with all that is in them, and nothing that a symlink leads to', () => {
    const world = opened(create())
    const groups = groupsOf(world)
    groups.createGroup('web')
    world.write('etc/rules/keep', 'kept')
    world.write('etc/shared/other/keep', 'kept')
    world.write('etc/shared/web/deep/er/x', 'x')
    world.write('etc/shared/web/x~', 'x')
    world.symlink('../../rules', 'etc/shared/web/out')
    world.symlink('/nowhere', 'etc/shared/web/deep/dangling')
    world.symlink('../../other/keep', 'etc/shared/web/deep/file')
    world.fifo('etc/shared/web/fifo')
    groups.removeGroup('web')
    expect([...filesBelow(world, 'etc').keys()].sort()).toEqual(['etc/rules/keep', 'etc/shared/other/keep'])
    expect(world.exists('etc/shared/web')).toBe(false)
    expect(refusalOf(() => groups.removeGroup('web'))).toBe('groupMissing: The group does not exist')
    world.symlink('other', 'etc/shared/web')
    expect(refusalOf(() => groups.removeGroup('web'))).toBe('groupMissing: The group does not exist')
    expect(world.read('etc/shared/other/keep')).toBe('kept')
  })

  it('named default stay', () => {
    const world = opened(create())
    const groups = groupsOf(world)
    groups.createGroup('default')
    expect(refusalOf(() => groups.removeGroup('default'))).toBe('groupKept: Default group is not deletable')
    expect(groups.groups()).toEqual(['default'])
  })

  it('get the default one where it is missing, and only in an existing etc/shared', () => {
    const world = opened(create())
    const groups = groupsOf(world)
    expect(refusalOf(() => groups.createDefault())).toBe("fileFailed: 'etc/shared' does not exist.")
    expect(world.exists('etc/shared')).toBe(false)
    world.mkdir('etc/shared')
    expect(groups.createDefault()).toBe(true)
    expect(filesBelow(world, 'etc')).toEqual(new Map([['etc/shared/default/agent.conf', `660 ${emptyConfig}`]]))
    expect(world.modeOf('etc/shared/default')).toBe(0o770)
    world.write('etc/shared/default/agent.conf', 'an edit')
    expect(groups.createDefault()).toBe(false)
    expect(world.read('etc/shared/default/agent.conf')).toBe('an edit')
    world.remove('etc/shared/default')
    world.symlink('../rules', 'etc/shared/default')
    expect(refusalOf(() => groups.createDefault())).toMatch(/^groupInvalid: 'etc\/shared\/default' is in the way/)
  })

  it('list their files, with sizes and digests', () => {
    const world = opened(create())
    const groups = groupsOf(world)
    groups.createGroup('web')
    world.write('etc/shared/web/sub/x', 'content')
    world.write('etc/shared/web/merged.mg', '#web\n')
    world.write('etc/shared/web/x.tmp', 'excluded')
    const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
    expect(groups.groupFiles('web', 'sha256')).toEqual([
      { name: 'agent.conf', bytes: emptyConfig.length, digest: digest(emptyConfig) },
      { name: 'merged.mg', bytes: 5, digest: digest('#web\n') },
      { name: 'sub/x', bytes: 7, digest: digest('content') },
    ])
    expect(refusalOf(() => groups.groupFiles('other', 'sha256'))).toBe('groupMissing: The group does not exist')
  })
})

/** Runs `act` on a disk that stops answering at its n-th call. */
const crashingAt = (world: MemoryWorld, step: number, act: () => void): void => {
  let steps = 0
  world.disk.onStep = () => {
    if (++steps >= step) throw new Crash()
  }
  try {
    act()
  } catch (thrown) {
    if (!(thrown instanceof Crash)) throw thrown
  } finally {
    world.disk.onStep = undefined
  }
}

describe('a group that is made or removed', () => {
  it('while the machine crashes can be made or removed again', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), fc.boolean(), fc.boolean(), (step, isPower, isRemoval) => {
        const world = createMemoryWorld()
        world.mkdir('etc/shared')
        const act = (groups: GroupDirectories): void => (isRemoval ? groups.removeGroup('web') : groups.createGroup('web'))
        if (isRemoval) {
          groupsOf(world).createGroup('web')
          world.write('etc/shared/web/sub/x', 'x')
        }
        crashingAt(world, step, () => act(groupsOf(world)))
        if (isPower) world.disk.crash()
        else world.disk.killProcess()
        // It was done, or it can be done now.
        expect(refusalOf(() => act(groupsOf(world)))).toMatch(/^done$|already exists|does not exist/)
        expect(filesBelow(world, 'etc')).toEqual(new Map(isRemoval ? [] : [['etc/shared/web/agent.conf', `660 ${emptyConfig}`]]))
        expect(groupsOf(world).groups()).toEqual(isRemoval ? [] : ['web'])
        expect(world.disk.openFiles).toBe(0)
      }),
    ))

  it.each([
    ['mkdir', 'EACCES', 'fileFailed'],
    ['write', 'ENOSPC', 'diskFull'],
    ['sync', 'EIO', 'fileFailed'],
    ['rename', 'EIO', 'fileFailed'],
  ] as const)('on a disk that fails to %s says so, and can be made afterwards', (operation, code, expected) => {
    const world = createMemoryWorld()
    world.mkdir('etc/shared')
    const heal = world.disk.fail({ operation, code })
    expect(refusalOf(() => groupsOf(world).createGroup('web'))).toMatch(
      new RegExp(`^${expected}: 'etc/shared/web' could not be created \\(${code}`),
    )
    heal()
    expect([...filesBelow(world, 'etc').keys()]).toEqual([])
    groupsOf(world).createGroup('web')
    expect(world.read('etc/shared/web/agent.conf')).toBe(emptyConfig)
  })
})
