/** A real Wazuh manager on the nodes' machines: its files are synced and never written, and a request to change its agents is answered with the program to use. */
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { readWhole } from '../../../src/simulation/rules/expectedTree.js'

const { signal } = new AbortController()
const key = 'a'.repeat(64)
const keys = (ids: readonly number[]): Buffer => Buffer.from(ids.map((id) => `00${id} agent${id} any ${key}\n`).join(''))

/** What a manager's own programs created, and what agents left there. */
const managersFiles: Readonly<Record<string, Buffer>> = {
  'etc/client.keys': keys([1, 2]),
  'etc/shared/default/agent.conf': Buffer.from('<agent_config/>'),
  'etc/shared/default/merged.mg': Buffer.from('of remoted'),
  'etc/shared/web/merged.mg': Buffer.from('of remoted'),
  'etc/shared/web/rules.txt': Buffer.from('web'),
  'queue/rids/001': Buffer.from('1:1:'),
  'queue/rids/002': Buffer.from('1:2:'),
}

const startCluster = async (): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 5, nodes: 2, timings: { agentGroupStartDelayMs: 0 }, manager: 'wazuh', linesKept: 10_000 })
  for (const [path, content] of Object.entries(managersFiles)) cluster.write('master', path, content)
  cluster.write('w1', 'queue/rids/002', Buffer.from('1:2:'))
  cluster.startAll()
  await cluster.clock.advance(60_000)
  return cluster
}

const running = (cluster: SimulatedCluster, name: string) => {
  const node = cluster.node(name).running
  if (!node) throw new Error('not running')
  return node
}

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

const refusal = async (cluster: SimulatedCluster, act: Promise<unknown>): Promise<unknown> => {
  let thrown: unknown = 'nothing'
  void act.catch((error: unknown) => {
    thrown = error instanceof ClusterError ? [error.code, error.message] : error
  })
  await cluster.clock.advance(20_000)
  return thrown
}

describe("a cluster beside a real manager's programs", () => {
  it('syncs what they make, and changes no part of it on the master, and no counters anywhere', async () => {
    const cluster = await startCluster()
    expect(cluster.differences()).toEqual([])
    cluster.write('master', 'etc/client.keys', keys([1]))
    await cluster.clock.advance(60_000)
    expect(cluster.differences()).toEqual([])
    for (const { agentTable } of cluster.nodes) expect(agentTable.list({}, 0).map(({ id }) => id)).toEqual([1])
    for (const [path, content] of Object.entries({ ...managersFiles, 'etc/client.keys': keys([1]) }))
      expect([path, readWhole(cluster.master.disk, cluster.absolute(path))]).toEqual([path, content])
    expect(readWhole(cluster.node('w1').disk, cluster.absolute('queue/rids/002')).toString()).toBe('1:2:')
    expect([...cluster.treeOf('master').files.keys()].sort()).toEqual(
      Object.keys(managersFiles)
        .filter((path) => path.startsWith('etc/'))
        .sort(),
    )
    await finish(cluster)
  })

  it('gives agents that report no group, and creates no directory of one', async () => {
    const cluster = await startCluster()
    void running(cluster, 'w1').agentOperations.report([{ id: 1, kind: 'startup' }])
    cluster.master.disk.unlink(cluster.absolute('etc/shared/default/agent.conf'))
    cluster.master.disk.unlink(cluster.absolute('etc/shared/default/merged.mg'))
    cluster.master.disk.rmdir(cluster.absolute('etc/shared/default'))
    await cluster.clock.advance(60_000)
    expect(cluster.master.agentTable.list({}, 0)[0]).toMatchObject({ status: 'pending', groups: [] })
    expect([...cluster.treeOf('master').files.keys()].some((path) => path.startsWith('etc/shared/default/'))).toBe(false)
    await finish(cluster)
  })

  it.each(['master', 'w1'])('refuses to enrol and to remove agents on %s, and names the program that does', async (name) => {
    const cluster = await startCluster()
    const operations = running(cluster, name).agentOperations
    const request = { name: 'new', ip: 'any', key, groups: [] }
    expect(await refusal(cluster, operations.add(request, signal))).toEqual([
      'leftToManager',
      expect.stringContaining('/var/ossec/bin/manage_agents'),
    ])
    expect(await refusal(cluster, operations.remove(1, signal))).toEqual([
      'leftToManager',
      expect.stringContaining('/var/ossec/bin/manage_agents -r 001'),
    ])
    await finish(cluster)
  })

  it.each([
    ['changed', { kind: 'changeGroups', change: { kind: 'assign', ids: [1], group: 'web' }, tool: 'agent_groups' }],
    ['made', { kind: 'createGroup', group: 'db', tool: 'agent_groups' }],
    ['removed', { kind: 'removeGroup', group: 'web', tool: 'agent_groups' }],
  ] as const)('refuses to have groups %s, and names the program that does', async (_, command) => {
    const cluster = await startCluster()
    const asking = async (): Promise<void> => {
      for await (const _line of running(cluster, 'master').carryOut(command, signal));
    }
    expect(await refusal(cluster, asking())).toEqual(['leftToManager', expect.stringContaining('/var/ossec/bin/agent_groups')])
    await finish(cluster)
  })

  it('says in the log at the start what is left to them', async () => {
    const cluster = await startCluster()
    const said = cluster.trace.lines().filter((line) => line.includes('Left to the Wazuh manager in /var/ossec: '))
    expect(said).toHaveLength(2)
    await finish(cluster)
  })
})
