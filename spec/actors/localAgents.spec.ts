/** A node's view of its agents, over a simulated table. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../src/errors.js'
import { VirtualClock } from '../../src/simulation/virtualClock.js'
import { localAgentsOver } from '../support/localAgentsOver.js'

describe('the counts of agents', () => {
  it('are those of before while the table fails, so that the cluster can be looked at', async () => {
    const clock = new VirtualClock()
    const { agents, table } = localAgentsOver(clock, 'master')
    table.addAgents([{ id: 1, name: 'web', ip: 'any', key: 'k' }])
    const counted = async () => {
      const counting = agents.open().then(() => agents.counts())
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
})
