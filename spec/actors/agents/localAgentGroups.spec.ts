/** Local agent-groups over a simulated table: when the state of the groups is read, and what the connections get. */
import { describe, expect, it } from 'vitest'
import { localAgentGroups, PublishedGroups } from '../../../src/actors/agents/localAgentGroups.js'
import { startHosted } from '../../../src/actors/kit/host.js'
import { ClusterError } from '../../../src/base/errors.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { recordingLog } from '../../support/recordingLog.js'

const intervalMs = 10_000
const startDelayMs = 30_000
const { signal } = new AbortController()

const start = async () => {
  const clock = new VirtualClock()
  const { agents, keepTable, table, writeKeys } = localAgentsOver(clock, 'master')
  writeKeys([1, 2])
  const keeper = await keepTable()
  const published = new PublishedGroups()
  const publishedMs: number[] = []
  published.changed.add(() => publishedMs.push(clock.monotonicMs() - startMs))
  const log = recordingLog()
  const startMs = clock.monotonicMs()
  const thread = startHosted(localAgentGroups({ agents, published, clock, intervalMs, startDelayMs, log }), {
    clock,
    onEnd: () => undefined,
  })
  return {
    agents,
    clock,
    log,
    published,
    publishedMs,
    table,
    writeKeys,
    change: () => agents.groups.change({ kind: 'assign', ids: [1], group: 'default' }, signal),
    stop: async () => {
      thread.stop()
      keeper.stop()
      await agents.close()
      await clock.settle()
      expect(thread.timers + clock.pending).toBe(0)
    },
  }
}

describe('local agent-groups', () => {
  it('waits for the workers once, says so, and then publishes at each interval', async () => {
    const { clock, log, publishedMs, stop } = await start()
    await clock.advance(startDelayMs - 1_000)
    expect(publishedMs).toEqual([])
    await clock.advance(1_000 + 2 * intervalMs + 1_000)
    expect(publishedMs.map((atMs) => Math.floor(atMs / 1_000))).toEqual([30, 40, 50])
    expect(log.lines.filter((line) => line.includes('Sleeping 30s before starting the agent-groups task'))).toHaveLength(1)
    await stop()
  })

  it('publishes changed groups soon, also before its first round, with the state of the table', async () => {
    const { change, clock, published, publishedMs, stop, table } = await start()
    const changing = change()
    await clock.advance(1_000)
    expect(await changing).toBe(1)
    expect(publishedMs).toHaveLength(1)
    expect(published.state).toMatchObject(table.groupsState())
    await stop()
  })

  it('publishes several changes together', async () => {
    const { agents, clock, publishedMs, stop } = await start()
    for (let times = 0; times < 5; times++) agents.groups.changes.emit()
    await clock.advance(1_000)
    expect(publishedMs).toHaveLength(1)
    await stop()
  })

  it('reads again when agents came or went, but not before its first round', async () => {
    const { agents, clock, publishedMs, stop } = await start()
    agents.keys.changes.emit()
    await clock.advance(1_000)
    expect(publishedMs).toEqual([])
    await clock.advance(startDelayMs)
    agents.keys.changes.emit()
    await clock.advance(1_000)
    expect(publishedMs).toHaveLength(2)
    await stop()
  })

  it('logs a failure, keeps what it published, and tries again an interval later', async () => {
    const { agents, clock, log, published, publishedMs, stop } = await start()
    await clock.advance(startDelayMs + 1_000)
    const before = published.state
    const groupsState = agents.store.groupsState.bind(agents.store)
    Object.assign(agents.store, { groupsState: () => Promise.reject(new ClusterError('tableFailed')) })
    await clock.advance(intervalMs)
    expect(published.state).toEqual(before)
    expect(log.lines.filter((line) => line.startsWith('error'))).toHaveLength(1)
    Object.assign(agents.store, { groupsState })
    await clock.advance(intervalMs)
    expect(publishedMs).toHaveLength(2)
    await stop()
  })
})
