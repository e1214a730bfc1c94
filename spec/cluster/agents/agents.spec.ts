import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { asClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import type { AgentTool } from '../../../src/domain/agents/agentQuery.js'
import type { AgentReport } from '../../../src/domain/agents/agentReport.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import type { ClusterQuery } from '../../../src/domain/queries/clusterQuery.js'
import { onlyLine } from '../../../src/programs/kit/answers.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const { signal } = new AbortController()
const key = (letter: string): string => letter.repeat(64)

const startCluster = async (nodes = 3): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 1, nodes, timings: { agentGroupStartDelayMs: 0 } })
  cluster.startAll()
  await cluster.clock.advance(5_000)
  return cluster
}

const runningIn = (cluster: SimulatedCluster) => (name: string) => {
  const node = cluster.node(name).running
  if (!node) throw new Error('not running')
  return node
}

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

describe('agents of a simulated cluster', () => {
  it('are known on every node soon after they were enrolled on one, and on the master where they report', async () => {
    const cluster = await startCluster()
    const operations = (name: string) => runningIn(cluster)(name).agentOperations
    const list = (name: string) => cluster.node(name).agentTable.list({}, 0)
    const enrolled = Promise.all([
      operations('master').add({ name: 'first', ip: 'any', key: key('a'), groups: [] }, signal),
      operations('w1').add({ name: 'second', ip: 'any', key: key('b'), groups: [] }, signal),
    ])
    await cluster.clock.advance(2_000)
    expect((await enrolled).map(({ id }) => id)).toEqual([1, 2])
    // One line each, with the node through which it was asked.
    expect(cluster.trace.lines().filter((line) => line.includes('was enrolled as'))).toEqual([
      expect.stringMatching(/ master\/Master\/Local agents info Agent 'first' was enrolled as 001\./),
      expect.stringMatching(/ master\/Worker w1\/Main info Agent 'second' was enrolled as 002\./),
    ])
    for (const node of cluster.nodes) expect(list(node.name).map(({ name }) => name)).toEqual(['first', 'second'])

    void operations('w1').report([{ id: 1, kind: 'startup', facts: { version: 'Wazuh v4.14.7' } }])
    await cluster.clock.advance(1_000)
    void operations('w2').report([{ id: 1, kind: 'keepAlive' }])
    void operations('w1').report([{ id: 1, kind: 'lost' }])
    await cluster.clock.advance(12_000)
    expect(list('master')[0]).toMatchObject({ id: 1, status: 'active', node: 'w2', groups: ['default'] })
    expect(list('w1')[0]).toMatchObject({ groups: ['default'] })
    // The directory of that group did not exist.
    await cluster.clock.advance(20_000)
    const ofDefault = ['agent.conf', 'merged.mg'].map((name) => `etc/shared/default/${name}`)
    for (const node of cluster.nodes) expect([...cluster.treeOf(node.name).files.keys()]).toEqual(expect.arrayContaining(ofDefault))

    void operations('w2').remove(1, signal)
    await cluster.clock.advance(2_000)
    for (const node of cluster.nodes) expect(list(node.name).map(({ name }) => name)).toEqual(['second'])
    await finish(cluster)
  })

  it('have the facts that they report, without those that break a rule, which are named once in the log', async () => {
    const cluster = await startCluster(1)
    const running = runningIn(cluster)('master')
    void running.agentOperations.add({ name: 'first', ip: 'any', key: key('a'), groups: [] }, signal)
    await cluster.clock.advance(2_000)
    const labels = 'x'.repeat(limits.agentLabelsCharsMax + 1)
    for (let times = 0; times < 2; times++) {
      const facts = { version: 'Wazuh v4.14.7', osName: 'Debian', labels }
      const reported = running.agentOperations.report([{ id: 1, kind: 'startup', facts }])
      await cluster.clock.advance(1_000)
      expect(await reported).toMatchObject({
        refused: 0,
        refusedFacts: [{ id: 1, fact: 'labels', why: 'has 16385 characters, the limit is 16384' }],
      })
      expect(cluster.master.agentTable.list({}, 0)[0]?.facts).toMatchObject({ version: 'Wazuh v4.14.7', osName: 'Debian', labels: '' })
    }
    expect(cluster.trace.lines().filter((text) => text.includes('is ignored'))).toEqual([
      expect.stringContaining("'labels' of agent 001 is ignored: it has 16385 characters, the limit is 16384."),
    ])
    await finish(cluster)
  })

  it('are counted by reports for each call, however many facts a report holds', async () => {
    const cluster = await startCluster(1)
    const { agentOperations } = runningIn(cluster)('master')
    void agentOperations.add({ name: 'first', ip: 'any', key: key('a'), groups: [] }, signal)
    await cluster.clock.advance(2_000)
    const facts = { version: 'Wazuh v4.14.7' }
    const startup = (id: number) => ({ id, kind: 'startup' as const, facts })
    const outcomes = Promise.all([
      agentOperations.report([startup(1)]),
      agentOperations.report([startup(1), { id: 1, kind: 'keepAlive' }, startup(7)]),
      agentOperations.report([startup(8), startup(9)]),
      agentOperations.report([{ id: 3, kind: 'lost' }]),
      agentOperations.report([]),
    ])
    await cluster.clock.advance(1_000)
    expect(await outcomes).toEqual([
      { taken: 1, unknown: 0, refused: 0, refusedFacts: [] },
      { taken: 2, unknown: 1, refused: 0, refusedFacts: [] },
      { taken: 0, unknown: 2, refused: 0, refusedFacts: [] },
      { taken: 0, unknown: 0, refused: 0, refusedFacts: [] },
      { taken: 0, unknown: 0, refused: 0, refusedFacts: [] },
    ])
    await finish(cluster)
  })

  it.each([
    [[{ id: 1, kind: 'start' }], 'reports[0].kind is "start": must be one of startup, keepAlive, shutdown, lost'],
    [[{ id: 1, kind: 'lost' }, { id: 1 }], 'reports[1].kind is undefined: must be one of startup, keepAlive, shutdown, lost'],
    [[{ id: 1, kind: 'startup', facts: { os: 'x' } }], 'reports[0].facts.os is not a fact: must be one of ip, version, osName,'],
    [[{ id: 1, kind: 'startup', facts: { version: 4 } }], 'reports[0].facts.version is 4: must be a text'],
    [[{ id: 1, kind: 'startup', facts: 'x' }], 'reports[0].facts is "x": must be an object of texts'],
    [[{ id: '001', kind: 'startup' }], 'reports[0].id is "001": must be a whole number from 0 to 2147483647'],
    [[{ id: 1, kind: 'startup', name: 'x' }], 'reports[0].name is not part of a report: must be one of id, kind, facts'],
    [[7], 'reports[0] is 7: must be an object with id, kind and perhaps facts'],
    [{ id: 1 }, 'reports is {"id":1}: must be a list of reports'],
  ])('refuse %j as reports with one sentence, and store none', async (reports, says) => {
    const cluster = await startCluster(1)
    const { agentOperations } = runningIn(cluster)('master')
    const refusal = agentOperations.report(reports as AgentReport[]).catch((thrown: unknown) => thrown)
    await cluster.clock.advance(1_000)
    expect(await refusal).toMatchObject({ name: 'ClusterError', code: 'malformed', message: expect.stringContaining(says) })
    await finish(cluster)
  })

  it('of a worker that left are listed by its name, and a name that no node ever had is unknown', async () => {
    const cluster = await startCluster()
    const running = runningIn(cluster)
    void running('master').agentOperations.add({ name: 'first', ip: 'any', key: key('a'), groups: [] }, signal)
    await cluster.clock.advance(2_000)
    void running('w1').agentOperations.report([{ id: 1, kind: 'startup' }])
    await cluster.clock.advance(2_000)
    cluster.crash('w1', 'process')
    await cluster.clock.advance(200_000)
    const ask = async (nodes: readonly string[]) => {
      const lines: AnswerLine[] = []
      const asking = (async () => {
        for await (const line of running('master').query({ kind: 'agents', nodes }, signal)) lines.push(line)
      })()
      await cluster.clock.advance(1_000)
      await asking
      return lines
    }
    const [first, ...lines] = await ask(['w1'])
    expect(first).toMatchObject({ unknownNodes: [] })
    expect(lines.flatMap((line) => (line.kind === 'agents' ? line.rows.map(([id, name]) => [id, name]) : []))).toEqual([[1, 'first']])
    expect((await ask(['w1', 'w3', 'w2']))[0]).toMatchObject({ unknownNodes: ['w3'] })
    await finish(cluster)
  })

  it('are shown by ID, the manager itself as 000', async () => {
    const cluster = await startCluster(1)
    const ask = async (id: number, tool: AgentTool) => {
      const answer = onlyLine(runningIn(cluster)('master').query({ kind: 'agent', id, tool }, signal), 'agent')
      await cluster.clock.advance(1_000)
      return answer.then(
        ({ agent }) => `${agent.name}, ${agent.status}, ${agent.node}`,
        (thrown: unknown) => asClusterError(thrown).message,
      )
    }
    expect(await ask(0, 'agent_control')).toMatch(/, active, master$/)
    expect(await ask(0, 'agent_groups')).toMatch(/, active, master$/)
    expect(await ask(7, 'agent_control')).toBe("Agent '007' does not exist")
    expect(await ask(7, 'agent_groups')).toBe('Agent does not exist')
    await finish(cluster)
  })

  it('are counted and shown in detail, asked for at a worker too', async () => {
    const cluster = await startCluster(2)
    const { agentOperations } = runningIn(cluster)('master')
    const ask = async (query: ClusterQuery) => {
      const lines: AnswerLine[] = []
      const asking = (async () => {
        for await (const line of runningIn(cluster)('w1').query(query, signal)) lines.push(line)
      })()
      await cluster.clock.advance(2_000)
      await asking
      return lines.filter(({ kind }) => kind !== 'cluster' && kind !== 'end')
    }
    for (const group of ['web', 'db']) cluster.write('master', `etc/shared/${group}/agent.conf`, Buffer.from(`<agent_config/> ${group}`))
    for (const [name, group] of Object.entries({ first: 'web', second: 'db' })) {
      const adding = agentOperations.add({ name, ip: 'any', key: key(name.slice(0, 1)), groups: [group] }, signal)
      await cluster.clock.advance(30_000)
      await adding
    }
    const [groups] = await ask({ kind: 'groups', sums: 'md5', tool: 'agent_groups' })
    const mergedSum = groups?.kind === 'groups' ? groups.groups.find(({ name }) => name === 'web')?.mergedSum : undefined
    expect(mergedSum).toMatch(/^[0-9a-f]{32}$/)
    const configSum = createHash('sha1').update('<agent_config/> web').digest('hex')
    expect(await ask({ kind: 'groups', sums: 'sha1', tool: 'agent_groups' })).toMatchObject([
      { groups: expect.arrayContaining([expect.objectContaining({ name: 'web', configSum })]) },
      { kind: 'unassigned' },
    ])
    const facts = { osPlatform: 'debian', mergedSum: mergedSum ?? '' }
    void agentOperations.report([1, 2].map((id) => ({ id, kind: 'startup', facts })))
    await cluster.clock.advance(2_000)
    expect(await ask({ kind: 'agentSummary', detailed: true })).toEqual([
      {
        ...{ kind: 'agentSummary', counts: { active: 0, pending: 2, disconnected: 0, never_connected: 0 } },
        configuration: { synced: 1, notSynced: 1 },
      },
      { kind: 'agentPlatforms', platforms: [{ name: 'debian', agents: 2 }] },
    ])
    const registeredMs = expect.any(Number)
    expect(await ask({ kind: 'agentDetails', ids: [2, 0, 1, 9] })).toMatchObject([
      { agent: { id: 0 }, manager: expect.any(String) },
      { agent: { id: 1, facts: { osPlatform: 'debian' } }, isSynchronized: true, registeredMs, manager: expect.any(String) },
      { agent: { id: 2 }, isSynchronized: false, registeredMs },
    ])
    await finish(cluster)
  })

  it('lose a group whose directory was deleted by hand when the group is removed', async () => {
    const cluster = await startCluster(2)
    const { agentOperations } = runningIn(cluster)('master')
    const settled = async <T>(doing: Promise<T>): Promise<T | string> => {
      const done = doing.catch((thrown: unknown) => asClusterError(thrown).message)
      await cluster.clock.advance(2_000)
      return done
    }
    cluster.write('master', 'etc/shared/web/agent.conf', Buffer.from('<agent_config/>'))
    await settled(agentOperations.add({ name: 'first', ip: 'any', key: key('a'), groups: ['web'] }, signal))
    cluster.master.disk.remove(cluster.absolute('etc/shared/web'))
    const ask = async (query: ClusterQuery) => {
      const lines: AnswerLine[] = []
      const asking = (async () => {
        for await (const line of runningIn(cluster)('master').query(query, signal)) lines.push(line)
      })()
      await settled(asking)
      return lines
    }
    expect(await ask({ kind: 'groups', tool: 'agent_groups' })).toContainEqual({ kind: 'groups', groups: [{ name: 'web', agents: 1 }] })
    expect(await ask({ kind: 'agents', group: 'web', tool: 'agent_groups' })).toContainEqual(
      expect.objectContaining({ kind: 'agents', rows: [expect.arrayContaining([1, 'first'])] }),
    )
    expect(await settled(agentOperations.removeGroup('web', signal))).toBe(1)
    for (const node of cluster.nodes) expect(node.agentTable.list({}, 0)[0]).toMatchObject({ groups: ['default'] })
    expect(await settled(agentOperations.removeGroup('web', signal))).toBe('The group does not exist')
    await finish(cluster)
  })
})
