/** Local agent-groups over a simulated disk and table: when the workers are told the state of the groups. */
import { describe, expect, it } from 'vitest'
import { startHosted } from '../../../src/actors/host.js'
import { localAgentGroups, PublishedGroups } from '../../../src/actors/threads/localAgentGroups.js'
import { VirtualClock } from '../../../src/simulation/virtualClock.js'
import { localAgentsOver } from '../../support/localAgentsOver.js'
import { recordingLog } from '../../support/recordingLog.js'

const intervalMs = 10_000
const { signal } = new AbortController()

const setUp = async () => {
  const clock = new VirtualClock()
  const { agents, table, writeKeys } = localAgentsOver(clock, 'master')
  writeKeys([1, 2])
  const looked = agents.open().then(() => agents.look(signal))
  await clock.advance(5)
  await looked
  const published = new PublishedGroups()
  let tellings = 0
  published.told.add(() => {
    tellings += 1
  })
  const options = { agents, published, clock, intervalMs, startDelayMs: 0, log: recordingLog() }
  const thread = startHosted(localAgentGroups(options), { clock, onEnd: () => undefined })
  const toldWithin = async (ms: number): Promise<number> => {
    const before = tellings
    await clock.advance(ms)
    return tellings - before
  }
  const stop = async (): Promise<void> => {
    thread.stop()
    await agents.close()
    await clock.settle()
    expect(thread.timers + clock.pending).toBe(0)
  }
  return { agents, published, stop, table, toldWithin }
}

describe('local agent-groups', () => {
  it('tells the state of the groups once, and again only when it is another', async () => {
    const { published, stop, table, toldWithin } = await setUp()
    expect(await toldWithin(10 * intervalMs)).toBe(1)
    table.changeGroups({ kind: 'assign', ids: [1], group: 'web' })
    expect(await toldWithin(intervalMs + 1_000)).toBe(1)
    expect(published.state?.version).toBe(table.groupsState().version)
    expect(await toldWithin(10 * intervalMs)).toBe(0)
    await stop()
  })

  it('tells a change that it hears of at once', async () => {
    const { agents, stop, table, toldWithin } = await setUp()
    await toldWithin(1_000)
    table.changeGroups({ kind: 'assign', ids: [2], group: 'db' })
    agents.groups.changes.tell()
    expect(await toldWithin(100)).toBe(1)
    await stop()
  })
})
