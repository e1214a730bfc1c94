/** Groups that agents have and that have no directory, over a simulated disk and table. */
import { describe, expect, it } from 'vitest'
import { MissingGroups } from '../../../src/actors/agents/missingGroups.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { recordingLog } from '../../support/recordingLog.js'

const intervalMs = 8_000
const { signal } = new AbortController()

/** Three agents in `default`; the second is in `web` too. */
const start = async () => {
  const clock = new VirtualClock()
  const { agents, disk, table } = localAgentsOver(clock, 'master')
  table.addAgents(
    [1, 2, 3].map((id) => ({ id, name: `agent${id}`, ip: 'any', key: 'k' })),
    0,
  )
  table.changeGroups({ kind: 'assign', ids: [1, 2, 3], group: 'default' })
  table.changeGroups({ kind: 'assign', ids: [2], group: 'web' })
  disk.makeDirectories('/home/etc/shared/web')
  const log = recordingLog()
  const missing = new MissingGroups({ agents, clock, intervalMs, log })
  const settled = async <T>(promise: Promise<T>): Promise<T> => {
    const [value] = await Promise.all([promise, clock.advance(10)])
    return value
  }
  await settled(agents.store.open())
  return {
    clock,
    disk,
    log,
    table,
    groupFiles: () => disk.readdir('/home/etc/shared/default').map(({ name }) => Buffer.from(name).toString()),
    /** A check, and the lines that it added to the log. */
    check: async (restMs = intervalMs) => {
      const before = log.lines.length
      const made = await settled(missing.check(signal))
      await clock.advance(restMs)
      return { made, lines: log.lines.slice(before) }
    },
  }
}

const nothing = { made: [], lines: [] }
const warningOf = (group: string, agents: string): string =>
  `warning [-] [-] The group '${group}' (${agents}) has no directory in 'etc/shared', so its agents receive none of its files. ` +
  `Create it with 'agent_groups -a -g ${group}', or unassign it with 'agent_groups -r -g ${group}'.`

describe('a group that agents have', () => {
  it('is not logged while its directory exists', async () => {
    const { check } = await start()
    expect(await check()).toEqual(nothing)
  })

  it('named default is created again each time its directory is deleted', async () => {
    const { disk, groupFiles, check } = await start()
    for (const _ of [1, 2]) {
      disk.remove('/home/etc/shared/default')
      expect(await check()).toEqual({
        made: ['etc/shared/default/agent.conf'],
        lines: ["info [-] [-] Recreated the missing group 'default', which agents belong to."],
      })
      expect(groupFiles()).toEqual(['agent.conf'])
      expect(disk.lstat('/home/etc/shared/default').mode & 0o777).toBe(0o770)
      expect(await check()).toEqual(nothing)
    }
  })

  it('named default is not created without etc/shared or over something else, with one warning', async () => {
    const { disk, check } = await start()
    disk.remove('/home/etc/shared')
    const first = await check()
    expect(first.made).toEqual([])
    expect(first.lines).toEqual([
      "warning [-] [-] The group 'default' of 3 agents is missing. 'etc/shared' does not exist.",
      warningOf('web', '1 agent'),
    ])
    expect(await check()).toEqual(nothing)
    expect(() => disk.lstat('/home/etc/shared')).toThrow()
    disk.makeDirectories('/home/etc/shared/web')
    disk.edit('/home/etc/shared/default', Buffer.from('a file'), 0o660)
    expect(await check()).toEqual({
      made: [],
      lines: [expect.stringMatching(/^warning .* The group 'default' of 3 agents is missing\. 'etc\/shared\/default' is in the way/)],
    })
    expect(await check()).toEqual(nothing)
    expect(disk.contentOf('/home/etc/shared/default').toString()).toBe('a file')
  })

  it('whose directory was deleted is warned about once, however many agents come and go', async () => {
    const { disk, check, table } = await start()
    disk.remove('/home/etc/shared/web')
    expect(await check()).toEqual({ made: [], lines: [warningOf('web', '1 agent')] })
    table.changeGroups({ kind: 'assign', ids: [3], group: 'web' })
    expect(await check()).toEqual(nothing)
    disk.makeDirectories('/home/etc/shared/web')
    expect(await check()).toEqual(nothing)
    disk.remove('/home/etc/shared/web')
    expect(await check()).toEqual({ made: [], lines: [warningOf('web', '2 agents')] })
    table.changeGroups({ kind: 'dissolve', group: 'web' })
    expect(await check()).toEqual(nothing)
  })

  it('is checked once an interval at most, and its agents are counted only when groups changed', async () => {
    const { disk, check, table } = await start()
    let counts = 0
    const { groupSizes } = table
    table.groupSizes = () => {
      counts += 1
      return groupSizes.call(table)
    }
    await check(0)
    disk.remove('/home/etc/shared/web')
    expect(await check()).toEqual(nothing)
    expect((await check()).lines).toHaveLength(1)
    expect(counts).toBe(1)
    table.changeGroups({ kind: 'unassign', ids: [3], group: 'default' })
    table.changeGroups({ kind: 'assign', ids: [3], group: 'web' })
    await check()
    expect(counts).toBe(2)
  })
})

describe('a group that no agent has', () => {
  it('is neither created nor logged', async () => {
    const { disk, check, table } = await start()
    table.removeAgents([1, 2, 3])
    disk.remove('/home/etc/shared/default')
    disk.remove('/home/etc/shared/web')
    expect(await check()).toEqual(nothing)
    expect(() => disk.lstat('/home/etc/shared/default')).toThrow()
  })
})
