import { describe, expect, it } from 'vitest'
import { LocalGroups } from '../../../src/actors/agents/localGroups.js'
import { limits } from '../../../src/base/limits.js'
import type { GroupsChange } from '../../../src/domain/agents/groups.js'
import { MemoryAgentTable } from '../../../src/simulation/world/memoryAgentTable.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { createSimulatedAgentFiles } from '../../../src/simulation/world/simulatedAgentFiles.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { NotedAgentStore } from '../../support/agents/notedAgentStore.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { settledIn } from '../../support/settledIn.js'

const going = new AbortController().signal
const home = '/home'
const agents = [1, 2].map((id) => ({ id, name: `agent${id}`, ip: 'any', key: 'k' }))

/** The groups of a new master that has two agents and the directories default and web. */
const newMaster = async (agentsInKeys = agents.length) => {
  const clock = new VirtualClock()
  const settle = settledIn(clock)
  const disk = new MemoryDisk({ now: () => clock.now() })
  for (const group of ['default', 'web']) disk.makeDirectories(`${home}/etc/shared/${group}`)
  const store = new NotedAgentStore(new MemoryAgentTable('master', 'ours'), clock)
  const files = createSimulatedAgentFiles(disk, clock, { home, role: 'master', managerName: 'master', synced })
  const groups = new LocalGroups(store, files, 'none')
  let changes = 0
  groups.changes.add(() => {
    changes += 1
  })
  const opened = await settle(store.open())
  await settle(store.addAgents(agents, 0))
  await settle(groups.begin(opened, agentsInKeys))
  return { disk, groups, opened, settle, store, changes: () => changes }
}

const copy = (table: string, version: number) => ({ table, version })
const rows = [{ id: 1, groups: ['web'] }]

describe('groups that a new table has lost', () => {
  it('are wanted from a copy of another table, then only from a newer state of that one', async () => {
    const { changes, groups, settle } = await newMaster()
    expect([changes(), groups.wants(copy('old', 3)), groups.wants(copy('ours', 3))]).toEqual([1, true, false])
    expect(await settle(groups.restore(copy('old', 3), rows, false))).toBe(1)
    expect([copy('old', 2), copy('other', 9), copy('old', 3), copy('old', 4)].map((one) => groups.wants(one))).toEqual([
      false,
      false,
      true,
      true,
    ])
    await settle(groups.restore(copy('old', 3), [], true))
    expect([groups.wants(copy('old', 3)), groups.wants(copy('old', 4)), changes()]).toEqual([false, true, 2])
  })

  it('are none in a new cluster, whose table says so from then on', async () => {
    const { changes, groups, settle, store } = await newMaster(0)
    expect([groups.wants(copy('old', 3)), changes()]).toEqual([false, 0])
    expect((await settle(store.open())).groupsLost).toBe(false)
  })
})

describe('a change of groups', () => {
  it.each<readonly [string, GroupsChange]>([
    ['groupMissing', { kind: 'assign', ids: [1], group: 'absent' }],
    ['groupNameInvalid', { kind: 'replace', ids: [1], groups: ['a b'] }],
    ['tooManyGroups', { kind: 'replace', ids: [1], groups: Array.from({ length: limits.groupsPerAgentMax + 1 }, () => 'web') }],
  ])('is refused with %s before the table is asked', async (code, change) => {
    const { groups, settle, store } = await newMaster()
    await expect(settle(groups.change(change, going))).rejects.toMatchObject({ code })
    expect(store.times('changeGroups')).toBe(0)
  })

  it('is announced exactly when an agent has other groups than before', async () => {
    const { changes, groups, settle } = await newMaster()
    const before = changes()
    for (const changed of [2, 0]) {
      expect(await settle(groups.change({ kind: 'assign', ids: [1, 2], group: 'web' }, going))).toBe(changed)
      expect(changes()).toBe(before + 1)
    }
  })
})

describe('a group', () => {
  it('is removed with its directory, and also when its directory was deleted by hand', async () => {
    const { disk, groups, settle, store } = await newMaster()
    for (const isThere of [true, false]) {
      disk.makeDirectories(`${home}/etc/shared/web`)
      await settle(groups.change({ kind: 'assign', ids: [1], group: 'web' }, going))
      if (!isThere) disk.remove(`${home}/etc/shared/web`)
      expect(await settle(groups.remove('web', going))).toBe(1)
      expect((await settle(store.groupsPage(0, 0))).rows).toEqual([{ id: 1, groups: ['default'] }])
    }
    await expect(settle(groups.remove('web', going))).rejects.toMatchObject({ code: 'groupMissing' })
    await expect(settle(groups.remove('default', going))).rejects.toMatchObject({ code: 'groupKept' })
  })
})

describe('a page of groups', () => {
  it('is read once for all who ask for the same version, until it is crowded out or the table is another', async () => {
    const { groups, opened, settle, store } = await newMaster()
    const read = async (version: number): Promise<number> => {
      await settle(Promise.all([groups.page(0, 0, version), groups.page(0, 0, version)]))
      return store.times('groupsPage')
    }
    expect([await read(1), await read(1), await read(2), await read(1)]).toEqual([1, 1, 2, 2])
    for (const version of [3, 4, 5]) await read(version)
    expect([await read(5), await read(1)]).toEqual([5, 6])
    await settle(groups.begin(opened, agents.length))
    expect(await read(5)).toBe(7)
  })

  it('that could not be read is read again', async () => {
    const { groups, settle, store } = await newMaster()
    await store.close()
    for (const times of [1, 2]) {
      await expect(settle(groups.page(0, 0, 1))).rejects.toMatchObject({ code: 'aborted' })
      expect(store.times('groupsPage')).toBe(times)
    }
  })
})
