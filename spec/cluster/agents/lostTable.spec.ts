/** A node's table of agents that is damaged, at rest or in use: it is recreated, and filled with what the other nodes know. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { GroupsChange } from '../../../src/domain/agents/groups.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import type { Fault } from '../../../src/simulation/faults/faultPlan.js'
import { schedulePlan } from '../../../src/simulation/faults/schedulePlan.js'
import { nodeNames } from '../../../src/testing/faultPlanArbitraries.js'
import { runs } from '../../support/runs.js'

const { signal } = new AbortController()
const ids = [1, 2, 3, 4, 5]
const groups = ['default', 'web', 'db']
const nodes = nodeNames(2)
/** Time for a worker to reconnect, and for its data to reach every node. */
const settledMs = 60_000

const startCluster = async (seed: number): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed, nodes: nodes.length })
  cluster.agents.populate(ids.length, groups)
  cluster.startAll()
  await cluster.clock.advance(settledMs)
  return cluster
}

const change = async (cluster: SimulatedCluster, wanted: GroupsChange): Promise<void> => {
  const changing = cluster.master.running?.agentOperations.changeGroups(wanted, signal)
  await cluster.clock.advance(8_000)
  await changing
}

const report = (cluster: SimulatedCluster, name: string, id: number): void => {
  // No report is accepted at the moment in which a table is given up.
  cluster
    .node(name)
    .running?.agentOperations.report([{ id, kind: 'startup' }])
    .catch(() => undefined)
}

const groupsOn = (cluster: SimulatedCluster, name: string) =>
  Object.fromEntries(
    cluster
      .node(name)
      .agentTable.list({}, 0)
      .map((agent) => [agent.id, agent.groups.join()]),
  )

/** What happens to the table of a node whose process runs, or does not run. */
type Damage = 'in use' | 'at rest'

const damage = async (cluster: SimulatedCluster, name: string, when: Damage): Promise<void> => {
  if (when === 'at rest') cluster.crash(name, 'process')
  cluster.node(name).agentTable.damage(`the next table of ${name}`)
  if (when === 'in use') return
  await cluster.clock.advance(3_000)
  cluster.start(name)
}

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

const damages = fc.constantFrom<Damage>('in use', 'at rest')
const assignments = fc.array(fc.tuple(fc.constantFrom(...ids), fc.uniqueArray(fc.constantFrom(...groups), { minLength: 1 })), {
  minLength: 1,
  maxLength: 6,
  size: 'max',
})

describe('a table that is lost', () => {
  it('gets the groups of all agents back, with the changes made since', () =>
    fc.assert(
      fc.asyncProperty(
        fc.nat(),
        fc.constantFrom(...nodes),
        damages,
        assignments,
        fc.boolean(),
        async (seed, name, when, given, isChanged) => {
          const cluster = await startCluster(seed)
          for (const id of ids) report(cluster, 'w1', id)
          await cluster.clock.advance(1_000)
          for (const [id, list] of given) await change(cluster, { kind: 'replace', ids: [id], groups: list })
          const expected = groupsOn(cluster, 'master')
          expect(groupsOn(cluster, 'w1')).toEqual(expected)

          await damage(cluster, name, when)
          for (const [delay, id] of ids.entries()) cluster.clock.setTimeout(() => report(cluster, 'w1', id), 4_000 * delay)
          if (isChanged && name === 'master') {
            // As soon as the table is open again, perhaps before any worker is connected.
            const { agentTable } = cluster.master
            await cluster.clock.runUntil(() => !agentTable.isDamaged && agentTable.list({}, 0).length === ids.length, settledMs)
            await change(cluster, { kind: 'replace', ids: [1], groups: ['db', 'web'] })
            expected[1] = 'db,web'
          }
          await cluster.clock.advance(settledMs)
          for (const node of nodes) expect(groupsOn(cluster, node)).toEqual(expected)
          expect(cluster.node(name).agentTable.open().groupsLost).toBe(false)
          await finish(cluster)
        },
      ),
      { numRuns: runs(12) },
    ))

  it('gets the states of all agents back once the workers know the new table, without new reports', async () => {
    const cluster = await startCluster(1)
    const statuses = () => cluster.master.agentTable.list({}, 0).map(({ status }) => status)
    for (const id of ids) report(cluster, id < 3 ? 'w1' : 'w2', id)
    await cluster.clock.advance(15_000)
    const before = statuses()
    expect(before).toEqual(ids.map(() => 'pending'))
    await damage(cluster, 'master', 'in use')
    void cluster.master.running?.agents.counts()
    await cluster.clock.advance(2_000)
    expect(statuses()).toEqual(before)
    await finish(cluster)
  })

  it('gets all agents back, although it was given up in the middle of a check of client.keys', async () => {
    const cluster = await startCluster(1)
    const { agents } = cluster.node('w1').running ?? {}
    cluster.node('w1').agentTable.damage('the next one')
    const checking = agents?.keys.check(signal).catch(() => undefined)
    void agents?.counts()
    await cluster.clock.advance(settledMs)
    await checking
    expect(Object.keys(groupsOn(cluster, 'w1')).map(Number)).toEqual(ids)
    await finish(cluster)
  })

  it('takes the groups from the newest copy, whichever worker connects first', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), fc.constantFrom('w1', 'w2'), fc.boolean(), async (seed, stale, isStaleFirst) => {
        const cluster = await startCluster(seed)
        await change(cluster, { kind: 'replace', ids: [1, 2], groups: ['web'] })
        const other = stale === 'w1' ? 'w2' : 'w1'
        const cut = (node: string, atMs: number, durationMs: number): Fault => ({ kind: 'isolate', node, atMs, durationMs })
        schedulePlan(cluster, [cut(stale, 0, isStaleFirst ? 40_000 : 100_000), cut(other, 20_000, isStaleFirst ? 80_000 : 20_000)])
        await change(cluster, { kind: 'replace', ids: [2], groups: ['web', 'db'] })
        expect(groupsOn(cluster, stale)[2]).toBe('web')
        await cluster.clock.advance(15_000)
        await damage(cluster, 'master', 'at rest')
        await cluster.clock.advance(40_000)
        expect(groupsOn(cluster, 'master')).toMatchObject({ 1: 'web', 2: isStaleFirst ? 'web' : 'web,db' })
        await cluster.clock.advance(100_000)
        for (const node of nodes) expect(groupsOn(cluster, node)).toMatchObject({ 1: 'web', 2: 'web,db' })
        await finish(cluster)
      }),
      { numRuns: 6 },
    ))

  it('of a new cluster has lost nothing: a worker of another one cannot say what its agents have', async () => {
    const cluster = new SimulatedCluster({ seed: 1, nodes: nodes.length })
    const { agentTable } = cluster.node('w1')
    agentTable.addAgents([{ id: 1, name: 'of another cluster', ip: 'any', key: 'k' }], 0)
    agentTable.takeGroups([{ id: 1, groups: ['web'] }])
    agentTable.settleGroups({ table: 'of another master', version: 7, hash: '' }, undefined)
    cluster.agents.populate(0, groups)
    cluster.start('master')
    await cluster.clock.advance(1_000)
    void cluster.agents.enrol('master')
    await cluster.clock.advance(8_000)
    cluster.start('w1')
    cluster.start('w2')
    await cluster.clock.advance(settledMs)
    report(cluster, 'w1', 1)
    await cluster.clock.advance(settledMs)
    for (const node of nodes) expect(groupsOn(cluster, node)).toEqual({ 1: 'default' })
    await finish(cluster)
  })
})
