/** The groups of a simulated manager on its master: whatever fails in between, the table comes to have them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Hosted, startHosted } from '../../../src/actors/kit/host.js'
import { groupsTaken, groupsTakenEveryMs } from '../../../src/actors/manager/groupsTaken.js'
import { WatchedWazuhDb } from '../../../src/actors/manager/watchedWazuhDb.js'
import { SimulatedWazuhDb } from '../../../src/simulation/manager/simulatedWazuhDb.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { restartableThread } from '../../support/agents/restartableThread.js'
import { recordingLog } from '../../support/recordingLog.js'

const groups = ['default', 'web', 'db']
const { signal } = new AbortController()

const start = async (ids: readonly number[]) => {
  const clock = new VirtualClock()
  const world = localAgentsOver(clock, 'master')
  world.writeKeys(ids)
  const db = new SimulatedWazuhDb({ clock, role: 'master', nodeName: 'master' })
  for (const group of groups) db.insertGroup(group)
  const insert = (id: number): boolean => db.insertAgent(id, `agent${id}`)
  for (const id of ids) insert(id)
  const keeping = await world.keepTable()
  const log = recordingLog()
  let changes = 0
  world.agents.groups.changes.add(() => {
    changes += 1
  })
  const begin = (): Hosted =>
    startHosted(groupsTaken({ agents: world.agents, db: new WatchedWazuhDb({ db: db.port(clock), clock, log }), clock, log }), {
      clock,
      onEnd: () => undefined,
    })
  return {
    ...world,
    ...restartableThread({ agents: world.agents, clock, keeping, begin }),
    clock,
    db,
    insert,
    log,
    changes: () => changes,
    groupsOf: (id: number) => world.table.list({ ids: [id] }, 0)[0]?.groups,
    keysAre: async (now: readonly number[]) => {
      world.writeKeys(now)
      // A locked table keeps it waiting.
      void world.agents.keys.check(signal).catch(() => undefined)
      await clock.advance(5)
    },
  }
}

describe('the groups of a manager', () => {
  it('are in the table a second after they changed, in their order, and announced', async () => {
    const { changes, clock, db, groupsOf, stop } = await start([1, 2])
    await clock.advance(groupsTakenEveryMs)
    const before = changes()
    db.assignGroups(1, ['web', 'default'])
    await clock.advance(groupsTakenEveryMs + 10)
    expect([groupsOf(1), groupsOf(2), changes() - before]).toEqual([['web', 'default'], [], 1])
    db.assignGroups(1, [])
    await clock.advance(groupsTakenEveryMs + 10)
    expect(groupsOf(1)).toEqual([])
    await stop()
  })

  it('are all read at the start when the hashes differ, and taken from agents that have none any more', async () => {
    const { clock, db, groupsOf, log, restart, stop, table } = await start([1, 2, 3])
    table.changeGroups({ kind: 'exact', rows: [1, 2].map((id) => ({ id, groups: ['old'] })) })
    await restart(async () => {
      db.assignGroups(1, ['web'])
      // Another process took it, and died.
      await Promise.all([db.port(clock).takeGroups(signal), clock.advance(2)])
    })
    await clock.advance(groupsTakenEveryMs)
    expect([1, 2, 3].map(groupsOf)).toEqual([['web'], [], []])
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([
      'info [-] [-] Read the groups of 3 agents in wazuh-db: 2 differed.',
    ])
    await stop()
  })

  it('of agents whose keys are read later are there as soon as the keys are, without reading all', async () => {
    const { clock, db, groupsOf, insert, keysAre, stop } = await start([1])
    await clock.advance(groupsTakenEveryMs)
    insert(7)
    db.assignGroups(7, ['web', 'db'])
    await clock.advance(5 * groupsTakenEveryMs)
    const { requests } = db
    await keysAre([1, 7])
    await clock.advance(100)
    expect(groupsOf(7)).toEqual(['web', 'db'])
    expect(db.requests - requests).toBeLessThanOrEqual(1)
    await stop()
  })

  it('are not read again and again for an agent that is in the database only', async () => {
    const { clock, db, insert, log, stop } = await start([1])
    insert(9)
    db.assignGroups(9, ['web'])
    await clock.advance(groupsTakenEveryMs)
    const { requests } = db
    await clock.advance(20 * groupsTakenEveryMs)
    expect(db.requests - requests).toBeLessThanOrEqual(20)
    expect(log.lines.filter((line) => line.includes('Read the groups'))).toHaveLength(1)
    await stop()
  })

  it('that cannot be read make one line while that lasts, and one when it is over', async () => {
    const { clock, db, groupsOf, log, stop } = await start([1])
    await clock.advance(groupsTakenEveryMs)
    db.stop()
    await clock.advance(30 * groupsTakenEveryMs)
    db.start()
    db.assignGroups(1, ['web'])
    await clock.advance(11 * groupsTakenEveryMs)
    expect(groupsOf(1)).toEqual(['web'])
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([
      'error [-] [-] wazuh-db does not answer: wazuh-db is not running. Nothing is lost; retrying.',
      expect.stringContaining('info [-] [-] wazuh-db answers again after'),
    ])
    await stop()
  })

  const ids = [1, 2, 3, 4]
  const id = fc.constantFrom(...ids)
  const steps = fc.array(
    fc.record({
      waitMs: fc.constantFrom(0, 1, 300, 2_000, 11_000),
      step: fc.oneof(
        { weight: 6, arbitrary: fc.record({ kind: fc.constant('assign' as const), id, groups: fc.shuffledSubarray(groups) }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('keys' as const), ids: fc.subarray(ids) }) },
        {
          weight: 3,
          arbitrary: fc.record({
            kind: fc.constantFrom(...(['stop', 'kill', 'start', 'silent', 'refuse', 'restart', 'lock', 'unlock'] as const)),
          }),
        },
        { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom(...(['insert', 'delete'] as const)), id }) },
      ),
    }),
    { maxLength: 20 },
  )

  it('come into the table whatever fails: killed databases, lost answers, crashes, locked tables', () =>
    fc.assert(
      fc.asyncProperty(steps, async (all) => {
        const { clock, db, groupsOf, insert, keysAre, restart, stop, table } = await start([1, 2])
        for (const { step, waitMs } of all) {
          if (step.kind === 'assign') db.assignGroups(step.id, step.groups)
          if (step.kind === 'keys') await keysAre(step.ids)
          if (step.kind === 'insert') insert(step.id)
          if (step.kind === 'delete') db.deleteAgent(step.id)
          if (step.kind === 'stop') db.stop()
          if (step.kind === 'kill') db.kill()
          if (step.kind === 'start') db.start()
          if (step.kind === 'silent') db.isSilent = true
          if (step.kind === 'refuse') db.refusals = 2
          if (step.kind === 'restart') await restart()
          if (step.kind === 'lock') table.isLocked = true
          if (step.kind === 'unlock') table.isLocked = false
          await clock.advance(waitMs)
        }
        db.heal()
        table.isLocked = false
        await clock.advance(25_000)
        await keysAre(ids)
        await clock.advance(3 * groupsTakenEveryMs)
        expect(ids.map((each) => [each, groupsOf(each) ?? []])).toEqual(ids.map((each) => [each, db.groupsOf(each) ?? []]))
        await stop()
      }),
      { numRuns: 100 },
    ))
})
