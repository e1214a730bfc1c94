/** A node's view of its agents, over a simulated table. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'

describe('the counts of agents', () => {
  it('stay as they were while the table fails, so that the cluster can still be shown', async () => {
    const clock = new VirtualClock()
    const { agents, table } = localAgentsOver(clock, 'master')
    table.addAgents([{ id: 1, name: 'web', ip: 'any', key: 'k' }], 0)
    const counted = async () => {
      const counting = agents.store.open().then(() => agents.counts())
      const [counts] = await Promise.all([counting, clock.advance(10)])
      return counts
    }
    const before = await counted()
    expect(before.byStatus.never_connected).toBe(1)
    table.counts = () => {
      throw new ClusterError('tableFailed')
    }
    expect(await counted()).toEqual(before)
  })

  it('say who is active as the database of a real manager does, and the table while that does not say', async () => {
    const clock = new VirtualClock()
    let active: ReadonlyMap<string, number> | undefined = new Map([['w2', 7]])
    const { agents, table } = localAgentsOver(clock, 'master', 'master', { manager: 'wazuh', activeAgents: async () => active })
    table.addAgents([{ id: 1, name: 'web', ip: 'any', key: 'k' }], 0)
    const nowMs = clock.now()
    const seen = { id: 1, seenMs: nowMs, epochMs: nowMs, node: 'w1', disconnectedMs: 0, disconnection: 'none', status: 'active' } as const
    table.record({ presences: [seen], details: [] }, nowMs, true)
    const activeNow = async () => {
      const counting = agents.store.open().then(() => agents.counts())
      const [{ byNode }] = await Promise.all([counting, clock.advance(10)])
      return ['w1', 'w2'].map((node) => byNode.get(node)?.active)
    }
    expect(await activeNow()).toEqual([0, 7])
    active = undefined
    expect(await activeNow()).toEqual([1, undefined])
    await agents.close()
  })
})

describe('silence', () => {
  it('is declared by no node that does not know the time of the master yet', async () => {
    const clock = new VirtualClock()
    const { agents, table } = localAgentsOver(clock, 'worker', 'w1')
    table.addAgents([{ id: 1, name: 'web', ip: 'any', key: 'k' }], 0)
    const presence = {
      id: 1,
      seenMs: clock.now(),
      epochMs: clock.now(),
      status: 'active',
      node: 'w1',
      disconnectedMs: 0,
      disconnection: 'none',
    } as const
    table.record({ presences: [presence], details: [] }, clock.now(), true)
    await Promise.all([agents.store.open(), clock.advance(700_000)])
    const silenced = async () => {
      const silencing = agents.silence()
      await clock.advance(10)
      return silencing
    }
    expect(await silenced()).toBe(0)
    agents.clock.measure(clock.now(), clock.monotonicMs())
    expect(await silenced()).toBe(1)
    await agents.close()
  })
})
