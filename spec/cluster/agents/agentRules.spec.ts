/** Single rules about agents, each in a simulated cluster in which little else happens. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { schedulePlan } from '../../../src/simulation/faults/schedulePlan.js'
import { faultPlans } from '../../../src/testing/faultPlanArbitraries.js'
import { runs } from '../../support/runs.js'

const { signal } = new AbortController()
const nodes = ['master', 'w1', 'w2']

const startCluster = async (agents: number): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: nodes.length, timings: { agentGroupStartDelayMs: 0 }, linesKept: 1_000_000 })
  cluster.agents.populate(agents, ['default', 'web', 'db'])
  cluster.startAll()
  await cluster.clock.advance(10_000)
  return cluster
}

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  cluster.heal()
  await cluster.converge()
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

const groupsOn = (cluster: SimulatedCluster, node: string) =>
  cluster
    .node(node)
    .agentTable.list({}, 0)
    .map(({ groups }) => groups.join())
const operations = (cluster: SimulatedCluster) => {
  const { running } = cluster.master
  if (!running) throw new Error('The master is not running')
  return running.agentOperations
}
const linesWith = (cluster: SimulatedCluster, text: string) => cluster.trace.lines().filter((line) => line.includes(text))

describe('the registry', () => {
  it('loses no agent while client.keys is saved, whatever is enrolled or removed meanwhile', () =>
    fc.assert(
      fc.asyncProperty(
        faultPlans({
          nodes,
          durationMs: 20_000,
          kinds: ['keysFlicker', 'keysFlicker', 'enrolAgent', 'removeAgent', 'kill'],
          faultsMax: 12,
        }),
        async (plan) => {
          const cluster = await startCluster(6)
          const endPlan = schedulePlan(cluster, plan)
          await cluster.clock.advance(30_000)
          endPlan()
          await finish(cluster)
        },
      ),
      { numRuns: runs(30) },
    ))

  it('wins over a report about a removed agent that is still under way, which is dropped and counted', async () => {
    const cluster = await startCluster(2)
    // The master removes no agent before it trusts client.keys.
    await cluster.clock.advance(2 * limits.keysTrustedMs)
    cluster.network.setLatency({ minMs: 200, maxMs: 200 })
    cluster.agents.report('w1', { id: 1, kind: 'startup' })
    // It is gathered for 50 ms, and the batch itself is under way.
    await cluster.clock.advance(150)
    void cluster.agents.remove('master', 1)
    await cluster.clock.advance(1_000)
    const worker = cluster.master.running?.registry?.members().find(({ name }) => name === 'w1')
    expect(worker?.state.unknownAgentReports).toBe(2)
    await cluster.clock.advance(5_000)
    for (const { agentTable } of cluster.nodes) expect(agentTable.list({}, 0).map(({ id }) => id)).toEqual([2])
    await finish(cluster)
  })
})

describe('what a worker has accepted', () => {
  it('reaches the master, whenever the connection is lost on the way', () =>
    fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 3_000 }), async (resetAtMs) => {
        const cluster = await startCluster(1)
        cluster.network.setLatency({ minMs: 500, maxMs: 500 })
        cluster.agents.report('w1', { id: 1, kind: 'startup' })
        await cluster.clock.advance(resetAtMs)
        cluster.network.reset('master', 'w1')
        await finish(cluster)
        expect(cluster.master.agentTable.list({}, 0)).toMatchObject([{ status: 'pending', node: 'w1' }])
      }),
      { numRuns: runs(20) },
    ))
})

describe('the time of a report', () => {
  it('is corrected when the worker started with a wrong clock and did not know the master’s time yet', () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -900_000, max: 900_000 }),
        fc.shuffledSubarray(['w1', 'w2'], { minLength: 2 }),
        async (ms, order) => {
          const cluster = await startCluster(1)
          cluster.crash('w1', 'process')
          cluster.network.isolate('w1')
          cluster.jumpClock('w1', ms)
          cluster.start('w1')
          await cluster.clock.advance(5_000)
          for (const node of order) {
            cluster.agents.report(node, { id: 1, kind: 'keepAlive' })
            await cluster.clock.advance(25_000)
          }
          await finish(cluster)
          expect(cluster.master.agentTable.list({}, 0)).toMatchObject([{ status: 'active', node: order[1] }])
        },
      ),
      { numRuns: runs(15) },
    ))

  it('is the time of its arrival, however long it waits for a locked table', async () => {
    const cluster = await startCluster(2)
    cluster.node('w1').agentTable.isLocked = true
    // The first one is being written when the second comes.
    cluster.agents.report('w1', { id: 2, kind: 'keepAlive' })
    await cluster.clock.advance(100)
    cluster.agents.report('w1', { id: 1, kind: 'keepAlive' })
    await cluster.clock.advance(5_000)
    cluster.agents.report('w2', { id: 1, kind: 'keepAlive' })
    await cluster.clock.advance(5_000)
    await finish(cluster)
    expect(cluster.master.agentTable.list({}, 0)[0]).toMatchObject({ id: 1, status: 'active', node: 'w2' })
  })
})

describe('a table that is locked', () => {
  it('delays no keep-alive and no check of the files, on master or workers', () =>
    fc.assert(
      fc.asyncProperty(fc.subarray(nodes, { minLength: 1 }), fc.integer({ min: 5_000, max: 300_000 }), async (locked, lockedMs) => {
        const cluster = await startCluster(3)
        for (const name of locked) cluster.node(name).agentTable.isLocked = true
        for (const name of nodes) cluster.agents.connect(name, 1, lockedMs)
        void cluster.agents.enrol('w1')
        const members = nodes.slice(1)
        for (let ms = 0; ms < lockedMs; ms += 20_000) {
          cluster.write('master', 'etc/rules/local_rules.xml', Buffer.from(`<!-- ${ms} -->`))
          await cluster.clock.advance(1_000)
          expect(cluster.differences().filter((says) => says.includes('etc/rules'))).toEqual([])
          await cluster.clock.advance(19_000)
          expect(members.filter((name) => !cluster.isMember(name))).toEqual([])
        }
        expect(linesWith(cluster, 'event workerLeft')).toEqual([])
        await finish(cluster)
      }),
      { numRuns: runs(15) },
    ))
})

describe('groups', () => {
  it('wait for the keys that they refer to: enrolling into groups costs no worker a second attempt', async () => {
    const cluster = await startCluster(2)
    // The files take seconds, because a large one is on its way; the state of the groups comes at once.
    cluster.network.setBandwidth(1_000_000)
    for (const name of ['one', 'two', 'three']) {
      cluster.write('master', 'etc/lists/large', Buffer.from(cluster.random.bytes(1_000_000)))
      await cluster.clock.advance(200)
      void operations(cluster).add({ name, ip: 'any', key: 'a'.repeat(64), groups: ['web', 'db'] }, signal)
      await cluster.clock.advance(20_000)
    }
    expect(nodes.map((name) => groupsOn(cluster, name))).toEqual(nodes.map(() => ['', '', 'web,db', 'web,db', 'web,db']))
    expect(linesWith(cluster, 'The groups are not yet the master')).toEqual([])
    expect(linesWith(cluster, 'The groups wait for the agent keys').length).toBeGreaterThan(0)
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })

  it('that are deleted are gone from every agent on every node, with the merged files of their lists', async () => {
    const cluster = await startCluster(3)
    await Promise.all([
      cluster.agents.changeGroups({ kind: 'replace', ids: [1], groups: ['web', 'db'] }),
      cluster.agents.changeGroups({ kind: 'replace', ids: [2], groups: ['web'] }),
      cluster.agents.changeGroups({ kind: 'replace', ids: [3], groups: ['db'] }),
      cluster.clock.advance(10_000),
    ])
    const merged = (name: string) => [...cluster.treeOf(name).files.keys()].filter((path) => path.startsWith('var/multigroups'))
    for (const name of nodes) expect(groupsOn(cluster, name)).toEqual(['web,db', 'web', 'db'])
    for (const name of nodes) expect(merged(name)).toHaveLength(1)
    await Promise.all([cluster.agents.removeGroup('web'), cluster.clock.advance(10_000)])
    for (const name of nodes) expect(groupsOn(cluster, name)).toEqual(['db', 'default', 'db'])
    for (const name of nodes) expect(merged(name)).toEqual([])
    for (const name of nodes) expect([...cluster.treeOf(name).files.keys()].filter((path) => path.startsWith('etc/shared/web'))).toEqual([])
    await finish(cluster)
  })

  it('that differ without a change are all fetched again after the allowed mismatches', async () => {
    const cluster = await startCluster(3)
    await Promise.all([cluster.agents.changeGroups({ kind: 'replace', ids: [1], groups: ['web', 'db'] }), cluster.clock.advance(5_000)])
    cluster.node('w1').agentTable.takeGroups([
      { id: 1, groups: ['db'] },
      { id: 2, groups: ['web'] },
    ])
    const fullRounds = () => linesWith(cluster, 'w1/Worker/Agent-groups recv full info Finished').length
    expect(fullRounds()).toBe(0)
    const { agentGroupsMismatchesMax, workerSyncAgentGroupsMs } = cluster.timings
    const { hash } = cluster.master.agentTable.groupsState()
    await cluster.clock.advance((agentGroupsMismatchesMax - 1) * 10_000)
    expect(cluster.node('w1').agentTable.groupsState().hash).not.toBe(hash)
    await cluster.clock.advance(2 * workerSyncAgentGroupsMs + agentGroupsMismatchesMax * 10_000)
    expect(cluster.node('w1').agentTable.groupsState().hash).toBe(hash)
    expect(fullRounds()).toBe(1)
    await finish(cluster)
  })
})
