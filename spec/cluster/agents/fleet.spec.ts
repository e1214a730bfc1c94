/** Agents that speak the real protocol in simulated clusters, under the faults of networks, crashes and disks. */
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { faultKinds, faultTable } from '../../../src/simulation/faults/faultPlan.js'
import { simulate } from '../../../src/simulation/simulate.js'

const kinds = faultKinds.filter((kind) => ['network', 'crash', 'disk', 'agents'].includes(faultTable[kind].of))

describe('agents in a cluster', () => {
  it('enrol through any node, are active, and lose nothing when a node stops, is killed or cut off', async () => {
    const cluster = new SimulatedCluster({ seed: 1, nodes: 3, agents: 6 })
    cluster.startAll()
    cluster.fleet?.start()
    await cluster.clock.advance(60_000)
    expect(cluster.fleet?.counts).toMatchObject({ enrolled: 6, connected: 6 })
    cluster.crash('w1', 'process')
    await cluster.clock.advance(30_000)
    cluster.start('w1')
    cluster.network.isolate('w2')
    await cluster.clock.advance(60_000)
    cluster.heal()
    await cluster.converge()
    expect(cluster.fleet?.counts.connected).toBe(6)
    expect(cluster.fleet?.counts.reconnects).toBeGreaterThan(0)
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })

  it('leave a node that stops in agreement, and all that was under way to it is taken', async () => {
    const cluster = new SimulatedCluster({ seed: 1, nodes: 3, agents: 6 })
    const { clock, fleet } = cluster
    cluster.startAll()
    fleet?.start()
    await clock.advance(60_000)
    expect(fleet?.counts).toMatchObject({ enrolled: 6, connected: 6 })
    // What is sent is on its way for this long.
    cluster.network.setLatency({ minMs: 200, maxMs: 300 })
    for (const node of ['w1', 'w2', 'w1', 'w2']) {
      await clock.advance(20_000)
      const { sent = 0 } = fleet?.counts ?? {}
      await clock.runUntil(() => (fleet?.counts.sent ?? 0) >= sent + 3, 60_000)
      cluster.stop(node)
      await clock.advance(20_000)
      expect(cluster.node(node).running).toBeUndefined()
      expect(fleet?.counts.connected).toBe(6)
      cluster.start(node)
    }
    cluster.heal()
    await cluster.converge()
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
    expect(fleet?.counts.forcedReconnects).toBeGreaterThan(0)
    expect(fleet?.account).toMatchObject({ lost: 0, inFlight: 0, duplicated: 0, strange: 0 })
    expect(fleet?.ranges.filter(({ end }) => end !== 'agreed')).toEqual([])
  })

  it('keep every rule under generated faults, and a seed gives the same run twice', async () => {
    const options = { seed: 7, nodes: 3, virtualMs: 900_000, kinds, faultsPerHour: 200, agents: 4 }
    const first = await simulate(options)
    expect(first.violations).toEqual([])
    expect((await simulate(options)).traceHash).toBe(first.traceHash)
  })
})
