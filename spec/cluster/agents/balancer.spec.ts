/** Simulated clusters whose agents come by way of a load balancer that the master drives. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import type { NodeState } from '../../../src/domain/cluster/nodeState.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { faultKinds, faultTable } from '../../../src/simulation/faults/faultPlan.js'
import { randomPlan } from '../../../src/simulation/faults/randomPlan.js'
import { schedulePlan } from '../../../src/simulation/faults/schedulePlan.js'
import { balanceMsMax } from '../../../src/simulation/rules/balancedServers.js'
import { fleetHost } from '../../../src/simulation/simulatedFleet.js'

const balancing = { frequencyMs: 10_000, stabilityMs: 10_000, agentReconnectionMs: 1_000 }

/** With agents at all nodes but w3, which is not there yet. */
const startCluster = async (agents: number, agentReconnectionMs = balancing.agentReconnectionMs): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: 4, agents, balancing: { ...balancing, agentReconnectionMs }, linesKept: 20_000 })
  void cluster.balancer?.start()
  for (const name of ['master', 'w1', 'w2']) cluster.start(name)
  cluster.fleet?.start()
  const isSettled = (): boolean => cluster.fleet?.counts.connected === agents && cluster.balanceDifferences().length === 0
  for (let seconds = 0; seconds < 300 && !isSettled(); seconds++) await cluster.clock.advance(1_000)
  await cluster.clock.advance(30_000)
  expect(isSettled()).toBe(true)
  return cluster
}

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

/** Time passes until all is as it should be, or as long as that may take. Agents that report all the time always have updates for the master. */
const settle = async (cluster: SimulatedCluster): Promise<void> => {
  const untilMs = cluster.clock.monotonicMs() + cluster.convergenceMsMax + balanceMsMax(cluster.balancing)
  const differences = (): readonly string[] => [
    ...cluster.differences(),
    ...(cluster.fleet?.differences() ?? []),
    ...cluster.balanceDifferences(),
  ]
  while (differences().length > 0 && cluster.clock.monotonicMs() < untilMs) await cluster.clock.advance(1_000)
  expect(differences()).toEqual([])
}

const serverOf = (cluster: SimulatedCluster, name: string) => cluster.balancer?.servers().find((server) => server.name === name)
const drained = (cluster: SimulatedCluster): readonly string[] =>
  (cluster.balancer?.servers() ?? []).filter(({ state }) => state === 'drain').map(({ name }) => name)

/** By agent: how often it connected since then. */
const connections = (cluster: SimulatedCluster, sinceMs: number): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const line of cluster.trace.lines()) {
    const [atMs, agent] = /^(\S+) agents (\S+) is connected to /.exec(line)?.slice(1) ?? []
    if (agent !== undefined && Number(atMs) > sinceMs) counts.set(agent, (counts.get(agent) ?? 0) + 1)
  }
  return counts
}

describe('agents behind a balancer', () => {
  it('go to a worker within 3 s of its join, and one pass balances them, moving each once at most', async () => {
    const cluster = await startCluster(10)
    const joinMs = cluster.clock.monotonicMs()
    cluster.start('w3')
    await cluster.clock.advance(3_000)
    expect(serverOf(cluster, 'w3')?.sessions).toBeGreaterThan(0)
    await cluster.clock.advance(30_000)
    expect(cluster.balanceDifferences()).toEqual([])
    const moved = connections(cluster, joinMs)
    expect([...moved.values()].every((count) => count === 1)).toBe(true)
    expect(moved.size).toBe(serverOf(cluster, 'w3')?.sessions)
    await cluster.clock.advance(60_000)
    expect(connections(cluster, joinMs)).toEqual(moved)
    await finish(cluster)
  })

  it('are left alone while the servers are balanced: nothing is changed in the balancer', async () => {
    const cluster = await startCluster(6)
    const changes = cluster.balancer?.changes
    await cluster.clock.advance(120_000)
    expect(cluster.balancer?.changes).toBe(changes)
    await finish(cluster)
  })
})

describe('a node of which an operator speaks', () => {
  const say = async (cluster: SimulatedCluster, node: string, state: NodeState): Promise<void> => {
    const asking = async (): Promise<void> => {
      const command = { kind: 'setNodeState', node, state, isTrial: false } as const
      for await (const _line of cluster.master.running?.carryOut(command, new AbortController().signal) ?? []);
    }
    void asking()
    await cluster.clock.advance(1_000)
  }

  it('is drained at once and stays so, has agents again when ready, and is no server when removed', async () => {
    const cluster = await startCluster(6)
    await say(cluster, 'w1', 'drained')
    expect(drained(cluster)).toEqual(['w1'])
    await cluster.clock.advance(limits.nodeDrainMsMax + 60_000)
    expect(drained(cluster)).toEqual(['w1'])
    expect(serverOf(cluster, 'w1')?.sessions).toBe(0)
    expect(cluster.fleet?.counts.connected).toBe(6)
    await say(cluster, 'w1', 'ready')
    await cluster.clock.advance(balanceMsMax(cluster.balancing))
    expect(cluster.balanceDifferences()).toEqual([])
    await say(cluster, 'w2', 'removed')
    expect(serverOf(cluster, 'w2')).toBeUndefined()
    await finish(cluster)
  })
})

describe('a pass that is interrupted', () => {
  /** In the middle of a pass that moves agents to w3, with the other servers drained. */
  const inPass = async (): Promise<SimulatedCluster> => {
    const cluster = await startCluster(6, 30_000)
    cluster.start('w3')
    await cluster.clock.advance(5_000)
    expect(drained(cluster)).toEqual(['master', 'w1', 'w2'])
    return cluster
  }

  it.each(['process', 'power'] as const)('by the death of the master (%s) leaves no server drained after its next start', async (what) => {
    const cluster = await inPass()
    cluster.crash('master', what)
    await cluster.clock.advance(60_000)
    expect(drained(cluster)).toEqual(['master', 'w1', 'w2'])
    cluster.start('master')
    await cluster.clock.advance(balancing.frequencyMs)
    expect(drained(cluster)).toEqual([])
    await finish(cluster)
  })

  it('by the stop of the master leaves no server drained at once', async () => {
    const cluster = await inPass()
    void cluster.master.running?.stop()
    cluster.master.running = undefined
    await cluster.clock.advance(60_000)
    expect(drained(cluster)).toEqual([])
    await finish(cluster)
  })

  it('by a balancer that cannot be reached leaves none drained one cycle after it can be again', async () => {
    const cluster = await inPass()
    if (cluster.balancer) cluster.balancer.isUnreachable = true
    await cluster.clock.advance(60_000)
    cluster.heal()
    await cluster.clock.advance(balancing.frequencyMs + 1_000)
    expect(drained(cluster)).toEqual([])
    await settle(cluster)
    await finish(cluster)
  })

  it('by the loss of the only server that takes agents ends, and the others take them again', async () => {
    const cluster = await inPass()
    cluster.crash('w3', 'power')
    await cluster.clock.advance(balancing.frequencyMs + 5_000)
    expect(drained(cluster)).toEqual([])
    cluster.heal()
    await settle(cluster)
    await finish(cluster)
  })

  it('by a restart of the balancer, which forgets its servers, gets them back within a cycle', async () => {
    const cluster = await inPass()
    void cluster.balancer?.restart()
    await cluster.clock.advance(balancing.frequencyMs + 5_000)
    expect(cluster.balancer?.servers().map(({ name, state }) => `${name} ${state}`)).toEqual([
      'master ready',
      'w1 ready',
      'w2 ready',
      'w3 ready',
    ])
    await finish(cluster)
  })
})

describe('a cluster behind a balancer under faults', () => {
  const kinds = faultKinds.filter((kind) => ['network', 'crash'].includes(faultTable[kind].of))
  const virtualMs = 300_000

  /** Of the balancer itself, some thirty in an hour. */
  const disturb = ({ balancer, clock, random }: SimulatedCluster): void => {
    const faults = random.fork('faults of the balancer')
    if (!balancer) return
    for (let atMs = 0; atMs < virtualMs; atMs += faults.integer(30_000, 200_000)) {
      const what = faults.pick(['refuses', 'changesWithoutAnswer', 'unreachable', 'restart'] as const)
      const lastsMs = faults.integer(1_000, 60_000)
      clock.setTimeout(() => {
        if (what === 'restart') void balancer.restart()
        else if (what === 'unreachable') {
          balancer.isUnreachable = true
          clock.setTimeout(() => balancer.heal(), lastsMs)
        } else balancer.nextChange = what
      }, atMs)
    }
  }

  it('serves every node, none drained, agents balanced, no taken event lost, once it is healed', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), async (seed) => {
        const cluster = new SimulatedCluster({ seed, nodes: 3, agents: 6, balancing })
        const nodes = cluster.nodes.map(({ name }) => name)
        const peers = [fleetHost, 'balancer']
        const plan = randomPlan(cluster.random.fork('plan'), { nodes, peers, kinds, durationMs: virtualMs, perHour: 60 })
        cluster.startAll()
        cluster.fleet?.start()
        disturb(cluster)
        const endPlan = schedulePlan(cluster, plan)
        await cluster.clock.advance(virtualMs)
        endPlan()
        cluster.heal()
        await settle(cluster)
        await cluster.stopAll()
        expect(cluster.violations, `seed ${seed}`).toEqual([])
      }),
      { numRuns: 2 },
    ))
})
