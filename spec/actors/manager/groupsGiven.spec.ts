/** Groups on their way into the simulated wazuh-db of a worker: they wait for their directories, and whatever fails, they arrive. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Hosted, startHosted } from '../../../src/actors/kit/host.js'
import { Signal } from '../../../src/actors/kit/signal.js'
import { groupsGiven } from '../../../src/actors/manager/groupsGiven.js'
import { WatchedWazuhDb } from '../../../src/actors/manager/watchedWazuhDb.js'
import type { GroupsRow } from '../../../src/domain/agents/groups.js'
import type { WazuhGroupsRow } from '../../../src/domain/manager/wazuhAgent.js'
import type { WazuhDb } from '../../../src/ports/manager.js'
import { SimulatedWazuhDb } from '../../../src/simulation/manager/simulatedWazuhDb.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { restartableThread } from '../../support/agents/restartableThread.js'
import { recordingLog } from '../../support/recordingLog.js'

const intervalMs = 30_000
const groupsMsMax = 40_000
const mismatchesMax = 3
const groups = ['default', 'web', 'db']

/** @param known groups whose directories are there; `wrong` is what wazuh-db does otherwise than it should */
const start = async (ids: readonly number[], known: readonly string[] = groups, wrong: Partial<WazuhDb> = {}) => {
  const clock = new VirtualClock()
  const world = localAgentsOver(clock, 'worker', 'w1')
  world.writeKeys(ids)
  const db = new SimulatedWazuhDb({ clock, role: 'worker', nodeName: 'w1' })
  const content = new Signal<readonly string[] | undefined>()
  /** The files of a group arrive, and wazuh-modulesd sees its directory after a while. */
  const makeDirectory = (group: string, seenAfterMs = 0): void => {
    world.disk.makeDirectories(`/home/etc/shared/${group}`)
    content.emit([`etc/shared/${group}/agent.conf`])
    if (seenAfterMs === 0) db.insertGroup(group)
    else clock.setTimeout(() => db.insertGroup(group), seenAfterMs)
  }
  for (const group of known) makeDirectory(group)
  const keeping = await world.keepTable()
  let version = 0
  const log = recordingLog()
  const given: (readonly WazuhGroupsRow[])[] = []
  const recorded = (port: WazuhDb): WazuhDb => ({
    ...port,
    ...wrong,
    setGroups: (rows, signal) => {
      given.push(rows)
      return port.setGroups(rows, signal)
    },
  })
  const begin = (): Hosted => {
    const options = {
      ...{ agents: world.agents, clock, intervalMs, groupsMsMax, mismatchesMax, log },
      tree: { onContent: content.add.bind(content) },
    }
    return startHosted(groupsGiven({ ...options, db: new WatchedWazuhDb({ db: recorded(db.port(clock)), clock, log }) }), {
      clock,
      onEnd: () => undefined,
    })
  }
  return {
    ...world,
    ...restartableThread({ agents: world.agents, clock, keeping, begin }),
    clock,
    db,
    given,
    log,
    makeDirectory,
    /** As the thread agentGroups takes them. */
    masterSays: (rows: readonly GroupsRow[], isAll = false): void => {
      world.table.takeGroups(rows)
      world.agents.groups.taken.emit(rows.map(({ id }) => id))
      version += 1
      const full = isAll ? { ids: Uint32Array.from(rows.map(({ id }) => id)) } : undefined
      world.table.settleGroups({ table: 'of the master', version, hash: '' }, full)
      if (isAll) world.agents.groups.taken.emit(undefined)
    },
    /** The groups of the agents in wazuh-db. */
    groupsThere: () => ids.map((id) => db.groupsOf(id) ?? []),
  }
}

describe('groups of a worker', () => {
  it('are in wazuh-db as soon as the table has them, in their order, and gone when it has none', async () => {
    const { clock, db, given, groupsThere, masterSays, stop } = await start([1, 2])
    masterSays([
      { id: 1, groups: ['web', 'default'] },
      { id: 2, groups: ['db'] },
    ])
    await clock.advance(200)
    expect(groupsThere()).toEqual([['web', 'default'], ['db']])
    expect(given.flat().map(({ name }) => name)).toEqual(['agent1', 'agent2'])
    expect(db.agents().map(({ name }) => name)).toEqual(['agent1', 'agent2'])
    masterSays([{ id: 1, groups: [] }])
    await clock.advance(200)
    expect(groupsThere()).toEqual([[], ['db']])
    await stop()
  })

  it('wait for their directory and for the manager to see it, and keep what they had meanwhile', async () => {
    const { clock, given, groupsThere, log, makeDirectory, masterSays, stop } = await start([1, 2], ['default'])
    masterSays([1, 2].map((id) => ({ id, groups: ['default'] })))
    await clock.advance(200)
    masterSays([{ id: 1, groups: ['web'] }])
    await clock.advance(10_000)
    expect(groupsThere()).toEqual([['default'], ['default']])
    expect(given.flat()).toHaveLength(2)
    makeDirectory('web', 3_000)
    await clock.advance(5_000)
    expect(groupsThere()).toEqual([['web'], ['default']])
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([])
    await stop()
  })

  it('that the manager does not know are logged once after the time-out, and agents get the others', async () => {
    const { clock, groupsThere, log, makeDirectory, masterSays, stop } = await start([1, 2, 3], ['default', 'db'])
    masterSays([
      { id: 1, groups: ['web', 'db'] },
      { id: 2, groups: ['default'] },
      { id: 3, groups: ['other'] },
    ])
    await clock.advance(1_000)
    expect(groupsThere()).toEqual([[], ['default'], []])
    await clock.advance(5 * groupsMsMax)
    expect(groupsThere()).toEqual([['db'], ['default'], []])
    const warning = "The manager does not know these groups of 2 agents after 40 s: 'other', 'web'. Trying again."
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([`warning [-] [-] ${warning}`])
    makeDirectory('web')
    makeDirectory('other')
    await clock.advance(200)
    expect(groupsThere()).toEqual([['web', 'db'], ['default'], ['other']])
    await stop()
  })

  it('are all brought in line at the start, but not by a table that never had any of a master', async () => {
    const { clock, db, groupsThere, masterSays, restart, stop } = await start([1, 2, 3])
    for (const id of [1, 2, 3]) db.insertAgent(id, `agent${id}`)
    for (const id of [1, 2]) db.assignGroups(id, ['db'])
    await clock.advance(2 * intervalMs)
    expect(groupsThere()).toEqual([['db'], ['db'], []])
    db.stop()
    masterSays([{ id: 3, groups: ['web'] }], true)
    await restart()
    db.start()
    await clock.advance(2_000)
    expect(groupsThere()).toEqual([[], [], ['web']])
    await stop()
  })

  it('are taken from agents that only wazuh-db has, once the master confirmed who exists', async () => {
    const { agents, clock, db, masterSays, stop } = await start([1])
    db.insertAgent(9, 'gone')
    db.assignGroups(9, ['db'])
    masterSays([{ id: 1, groups: ['web'] }], true)
    await clock.advance(500)
    expect(db.groupsOf(9)).toEqual(['db'])
    // The master trusts the same agents.
    agents.master.take({ table: 'of the master', ids: agents.table.idsDigest })
    await clock.advance(intervalMs + 1_000)
    expect(db.groupsOf(9)).toEqual([])
    await stop()
  })

  it('that change while they are given are given again at once', async () => {
    const { clock, db, groupsThere, masterSays, stop } = await start([1])
    masterSays([{ id: 1, groups: ['web'] }])
    db.delayMs = 600
    // In the middle of the request.
    await clock.advance(400)
    masterSays([{ id: 1, groups: ['db'] }])
    db.delayMs = 1
    await clock.advance(2_000)
    expect(groupsThere()).toEqual([['db']])
    await stop()
  })

  it('that all came are brought in line at once, though others wait', async () => {
    const { clock, groupsThere, masterSays, stop } = await start([1, 2], ['db'])
    masterSays([
      { id: 1, groups: ['web'] },
      { id: 2, groups: ['db'] },
    ])
    await clock.advance(3_000)
    masterSays([{ id: 1, groups: ['web'] }], true)
    await clock.advance(2_000)
    expect(groupsThere()).toEqual([[], []])
    await stop()
  })

  it('go in requests that wazuh-db takes, however many they are', async () => {
    const ids = Array.from({ length: 3_000 }, (_, index) => index + 1)
    const { clock, given, groupsThere, log, masterSays, stop } = await start(ids)
    masterSays(ids.map((id) => ({ id, groups: ['web', 'default', 'db'] })))
    await clock.advance(5_000)
    expect(groupsThere().every((list) => list.join() === 'web,default,db')).toBe(true)
    expect(given.length).toBeLessThan(10)
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([])
    await stop()
  })

  it('that stay different are all given again at the limit, after the hashes were made again', async () => {
    let recalculations = 0
    const wrong = {
      groupsHash: () => Promise.resolve('0'.repeat(40)),
      recalculateGroups: () => {
        recalculations += 1
        return Promise.resolve()
      },
    }
    const { clock, given, log, masterSays, stop } = await start([1, 2], groups, wrong)
    masterSays([1, 2].map((id) => ({ id, groups: ['web'] })))
    await clock.advance(1_000)
    expect([given.flat().length, recalculations]).toEqual([2, 0])
    await clock.advance((mismatchesMax - 2) * intervalMs)
    expect([given.flat().length, recalculations]).toEqual([2, 0])
    await clock.advance(intervalMs)
    expect([given.flat().length, recalculations]).toEqual([4, 1])
    await clock.advance(mismatchesMax * intervalMs)
    expect([given.flat().length, recalculations]).toEqual([6, 2])
    const warning = `The groups in wazuh-db still differ after ${mismatchesMax} attempts: sending all of them again.`
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([`warning [-] [-] ${warning}`, `warning [-] [-] ${warning}`])
    await stop()
  })

  it('that could not be given make one line, are given when wazuh-db is there again, and one line says so', async () => {
    const { clock, db, groupsThere, log, masterSays, stop } = await start([1])
    db.stop()
    masterSays([{ id: 1, groups: ['web'] }])
    await clock.advance(3 * intervalMs)
    db.start()
    await clock.advance(11_000)
    expect(groupsThere()).toEqual([['web']])
    expect(log.lines.filter((line) => !line.startsWith('debug'))).toEqual([
      'error [-] [-] wazuh-db does not answer: wazuh-db is not running. Nothing is lost; retrying.',
      expect.stringContaining('info [-] [-] wazuh-db answers again after'),
    ])
    await stop()
  })

  const ids = [1, 2, 3, 4]
  const rows = fc.uniqueArray(fc.record({ id: fc.constantFrom(...ids), groups: fc.shuffledSubarray(groups) }), { selector: ({ id }) => id })
  const steps = fc.array(
    fc.record({
      waitMs: fc.constantFrom(0, 1, 60, 2_000, 12_000),
      step: fc.oneof(
        { weight: 5, arbitrary: fc.record({ kind: fc.constant('says' as const), rows, isAll: fc.boolean() }) },
        {
          weight: 2,
          arbitrary: fc.record({
            kind: fc.constant('directory' as const),
            group: fc.constantFrom(...groups),
            seenAfterMs: fc.constantFrom(0, 700, 5_000),
          }),
        },
        {
          weight: 4,
          arbitrary: fc.record({
            kind: fc.constantFrom(...(['stop', 'kill', 'start', 'silent', 'refuse', 'restart', 'lock', 'unlock'] as const)),
          }),
        },
        { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom(...(['insert', 'delete'] as const)), id: fc.constantFrom(...ids) }) },
      ),
    }),
    { maxLength: 20 },
  )

  it('arrive whatever fails: late directories, killed databases, lost answers, crashes, locked tables', () =>
    fc.assert(
      fc.asyncProperty(fc.subarray(groups), steps, async (known, all) => {
        const { clock, db, groupsThere, makeDirectory, masterSays, restart, stop, table } = await start(ids, known)
        masterSays([], true)
        for (const { step, waitMs } of all) {
          if (step.kind === 'says') masterSays(step.rows, step.isAll)
          if (step.kind === 'directory') makeDirectory(step.group, step.seenAfterMs)
          if (step.kind === 'insert') db.insertAgent(step.id, `agent${step.id}`)
          if (step.kind === 'delete') db.deleteAgent(step.id)
          if (step.kind === 'stop') db.stop()
          if (step.kind === 'kill') db.kill()
          if (step.kind === 'start') db.start()
          if (step.kind === 'silent') db.isSilent = true
          if (step.kind === 'refuse') db.refusals = 3
          if (step.kind === 'restart') await restart()
          if (step.kind === 'lock') table.isLocked = true
          if (step.kind === 'unlock') table.isLocked = false
          await clock.advance(waitMs)
        }
        db.heal()
        table.isLocked = false
        await clock.advance(25_000)
        for (const group of groups) makeDirectory(group)
        await clock.advance(intervalMs + 5_000)
        expect(groupsThere()).toEqual(ids.map((id) => table.list({ ids: [id] }, 0)[0]?.groups))
        await stop()
      }),
      { numRuns: 50 },
    ))
})
