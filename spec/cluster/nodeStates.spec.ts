/** Nodes that operators drain, make ready and remove, in simulated clusters under faults: what was confirmed holds, whatever crashes. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asClusterError } from '../../src/base/errors.js'
import { limits } from '../../src/base/limits.js'
import { type NodeState, nodeStates } from '../../src/domain/cluster/nodeState.js'
import type { AnswerLine } from '../../src/domain/queries/answerLine.js'
import { SimulatedCluster } from '../../src/simulation/cluster.js'
import { faultKinds, faultTable } from '../../src/simulation/faults/faultPlan.js'
import { randomPlan } from '../../src/simulation/faults/randomPlan.js'
import { schedulePlan } from '../../src/simulation/faults/schedulePlan.js'
import { SeededRandom } from '../../src/simulation/world/seededRandom.js'
import { runs } from '../support/runs.js'

const { signal } = new AbortController()
const statesPath = 'queue/muster/nodes.json'
/** A node that is drained has let its agents go, and its port is closed. */
const drainedMs = limits.nodeDrainMsMax + 5_000

type Said = Extract<AnswerLine, { readonly kind: 'nodeState' }>

/** What the operator is answered; undefined when nobody answered. */
const say = async (cluster: SimulatedCluster, by: string, node: string, state: NodeState): Promise<Said | string | undefined> => {
  let answer: Said | string | undefined
  const asking = async (): Promise<void> => {
    const { running } = cluster.node(by)
    for await (const line of running?.carryOut({ kind: 'setNodeState', node, state, isTrial: false }, signal) ?? [])
      if (line.kind === 'nodeState') answer = line
  }
  asking().catch((thrown: unknown) => {
    answer = asClusterError(thrown).sentence
  })
  await cluster.clock.runUntil(() => answer !== undefined, 30_000)
  return answer
}

const started = async (agents = 4): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: 3, agents })
  cluster.startAll()
  cluster.fleet?.start()
  await cluster.clock.advance(60_000)
  return cluster
}

/** Which nodes have a listener of agents that runs, as the master shows them. */
const openNodes = async (cluster: SimulatedCluster): Promise<readonly string[]> => {
  const open: string[] = []
  let isWhole = false
  const reading = async (): Promise<void> => {
    for await (const line of cluster.master.running?.query({ kind: 'health' }, signal) ?? []) {
      if (line.kind === 'health' && line.node.listener) open.push(line.node.name)
      if (line.kind === 'end') isWhole = true
    }
  }
  void reading()
  await cluster.clock.runUntil(() => isWhole, 10_000)
  return open.sort()
}

describe('a drained node', () => {
  it('lets its agents go to the others, stays in sync, and opens again when it is ready', async () => {
    const cluster = await started()
    expect(await say(cluster, 'w2', 'w1', 'drained')).toMatchObject({ isChanged: true, reach: 'reached', othersReady: 2 })
    await cluster.clock.advance(drainedMs)
    cluster.write('master', 'etc/rules/local_rules.xml', Buffer.from('<rules/>'))
    // A keep-alive says what a worker's listener counts.
    await cluster.clock.advance(2 * cluster.timings.keepAliveMs)
    expect(await openNodes(cluster)).toEqual(['master', 'w2'])
    expect(cluster.fleet?.counts.connected).toBe(4)
    expect(cluster.isMember('w1')).toBe(true)
    expect(cluster.differences()).toEqual([])
    expect(await say(cluster, 'w1', 'w1', 'drained')).toMatchObject({ isChanged: false })
    expect(await say(cluster, 'w1', 'w1', 'ready')).toMatchObject({ isChanged: true })
    await cluster.clock.advance(2 * cluster.timings.keepAliveMs)
    expect(await openNodes(cluster)).toEqual(['master', 'w1', 'w2'])
    await cluster.converge()
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })

  it('is still drained after a power loss, from the start and without its master', async () => {
    const cluster = await started()
    for (const node of ['w1', 'master']) await say(cluster, 'master', node, 'drained')
    await cluster.clock.advance(drainedMs)
    for (const node of ['w1', 'master']) cluster.crash(node, 'power')
    cluster.start('w1')
    await cluster.clock.advance(60_000)
    expect(cluster.node('w1').running?.states.own.value).toBe('drained')
    cluster.start('master')
    await cluster.clock.advance(2 * cluster.timings.keepAliveMs)
    expect(await openNodes(cluster)).toEqual(['w2'])
    for (const node of ['w1', 'master']) await say(cluster, 'w2', node, 'ready')
    await cluster.converge()
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })
})

describe('a removed node', () => {
  it('is out at once, is refused in words until it is ready, and says nothing early of its agents', async () => {
    const cluster = await started()
    const disconnected = (): number =>
      cluster.master.agentTable.list({}, 0).filter(({ id, status }) => id !== 0 && status === 'disconnected').length
    expect(await say(cluster, 'w1', 'w2', 'removed')).toMatchObject({ isChanged: true })
    await cluster.clock.advance(1_000)
    expect(cluster.isMember('w2')).toBe(false)
    expect(disconnected()).toBe(0)
    expect(cluster.node('w2').running?.states.own.value).toBe('removed')
    await cluster.clock.advance(60_000)
    expect(cluster.isMember('w2')).toBe(false)
    expect(await say(cluster, 'w2', 'w2', 'ready')).toContain(
      "'w2' was removed from the cluster: 'cluster_control --ready w2' on another node",
    )
    expect(await say(cluster, 'w1', 'w2', 'drained')).toContain("'cluster_control --ready w2'")
    cluster.crash('master', 'power')
    cluster.start('master')
    await cluster.clock.advance(60_000)
    expect(cluster.isMember('w1') && !cluster.isMember('w2')).toBe(true)
    expect(await say(cluster, 'master', 'w2', 'ready')).toMatchObject({ isChanged: true, reach: 'notConnected' })
    await cluster.clock.advance(cluster.convergenceMsMax)
    expect(cluster.isMember('w2')).toBe(true)
    await cluster.converge()
    expect(await openNodes(cluster)).toContain('w2')
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })

  it('must be one that is or was in the cluster, and not the master', async () => {
    const cluster = await started(0)
    expect(await say(cluster, 'w1', 'w9', 'removed')).toBe('Error 3022 - Unknown node ID: w9')
    expect(await say(cluster, 'w1', 'master', 'removed')).toContain("The master 'master' cannot be removed, only drained")
    cluster.crash('w2', 'power')
    cluster.crash('master', 'power')
    cluster.start('master')
    await cluster.clock.advance(30_000)
    expect(await say(cluster, 'master', 'w2', 'removed')).toMatchObject({ isChanged: true, reach: 'notConnected' })
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })
})

const kinds = faultKinds.filter((kind) => ['network', 'crash'].includes(faultTable[kind].of) || kind === 'diskFull')
const orders = fc.record({
  by: fc.constantFrom('master', 'w1', 'w2'),
  node: fc.constantFrom('master', 'w1', 'w2'),
  state: fc.constantFrom(...nodeStates),
  afterMs: fc.integer({ min: 0, max: 60_000 }),
})

type Order = typeof orders extends fc.Arbitrary<infer O> ? O : never

/** Agents leave a node that takes nothing more from them: its clean end said that all of it was taken. */
const drainedWithAFullDisk: [number, Order[]] = [
  -797_813_835,
  [
    { by: 'w1', node: 'master', state: 'ready', afterMs: 60_000 },
    { by: 'master', node: 'w2', state: 'ready', afterMs: 56_489 },
    { by: 'w2', node: 'master', state: 'drained', afterMs: 53_780 },
    { by: 'w1', node: 'w2', state: 'ready', afterMs: 25_486 },
  ],
]

describe('states of nodes under faults', () => {
  it('what an operator was answered holds at the master and at each worker, however they crash', () =>
    fc.assert(
      fc.asyncProperty(fc.integer(), fc.array(orders, { minLength: 2, maxLength: 6 }), async (seed, said) => {
        const cluster = await started(2)
        const nodes = cluster.nodes.map(({ name }) => name)
        const plan = randomPlan(new SeededRandom(seed), { nodes, kinds, durationMs: said.length * 60_000, perHour: 200 })
        const endPlan = schedulePlan(cluster, plan)
        /** Those that may be: of an order that nobody answered it is not known whether it was carried out. */
        const possible = new Map<string, readonly NodeState[]>(nodes.map((node) => [node, ['ready']]))
        for (const { afterMs, by, node, state } of said) {
          await cluster.clock.advance(afterMs)
          const answer = await say(cluster, by, node, state)
          if (typeof answer === 'object') possible.set(node, [state])
          else possible.set(node, [...(possible.get(node) ?? []), state])
        }
        endPlan()
        cluster.heal()
        await cluster.clock.advance(cluster.convergenceMsMax + drainedMs)
        const states = cluster.master.running?.states
        for (const node of nodes) {
          const state = states?.stateOf(node) ?? 'ready'
          expect(possible.get(node)).toContain(state)
          if (node !== 'master') expect(cluster.isMember(node)).toBe(state !== 'removed')
          expect(cluster.node(node).running?.states.own.value).toBe(state)
        }
        for (const node of nodes) await say(cluster, 'master', node, 'ready')
        // A removed node dials seldom.
        await cluster.clock.advance(cluster.convergenceMsMax)
        await cluster.converge()
        expect(nodes.filter((node) => node !== 'master' && !cluster.isMember(node))).toEqual([])
        await cluster.stopAll()
        expect(cluster.violations).toEqual([])
      }),
      { numRuns: runs(6), examples: [drainedWithAFullDisk] },
    ))

  it('a damaged or foreign file is set aside and said once, and the node works', async () => {
    const cluster = new SimulatedCluster({ seed: 1, nodes: 2 })
    const { disk } = cluster.master
    disk.makeDirectories(cluster.absolute('queue/muster'))
    disk.edit(cluster.absolute(statesPath), Buffer.from('{"nodes":[{"name":"w1","state":"gone"}]}'), 0o640)
    cluster.startAll()
    await cluster.clock.advance(30_000)
    expect(cluster.isMember('w1')).toBe(true)
    const says = cluster.trace.lines().filter((line) => line.includes('was set aside'))
    expect(says).toHaveLength(1)
    const [kept] = disk.readdir(cluster.absolute('queue/muster')).filter(({ name }) => Buffer.from(name).toString().includes('.corrupt-'))
    expect(kept).toBeDefined()
    expect(await say(cluster, 'w1', 'w1', 'drained')).toMatchObject({ isChanged: true })
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })
})
