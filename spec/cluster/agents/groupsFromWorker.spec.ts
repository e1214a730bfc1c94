/** agent_groups works from any node: a worker asks its master, which checks that the worker may ask and does it. */
import { describe, expect, it } from 'vitest'
import { asClusterError } from '../../../src/base/errors.js'
import type { AgentCommand } from '../../../src/domain/agents/agentCommand.js'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import type { ClusterQuery } from '../../../src/domain/queries/clusterQuery.js'
import { isCommand } from '../../../src/domain/queries/controlRequest.js'
import { isForwarded } from '../../../src/domain/queries/forwardedRequest.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const { signal } = new AbortController()
const tool = 'agent_groups'

const commands: readonly (ClusterQuery | AgentCommand)[] = [
  { kind: 'addAgent', name: 'x', ip: 'any', key: 'k'.repeat(64), groups: [], tool: 'agent_control' },
  { kind: 'addAgent', name: 'x', ip: 'any', key: 'k'.repeat(64), groups: [], tool },
  { kind: 'removeAgent', id: 1, tool },
  { kind: 'agents', tool: 'agent_control' },
  { kind: 'changeGroups', change: { kind: 'assign', ids: [1], group: 'web' }, tool: 'agent_control' },
]

const started = async () => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: 2, timings: { agentGroupStartDelayMs: 0 } })
  cluster.startAll()
  await cluster.clock.advance(5_000)
  const answered = async (request: ClusterQuery | AgentCommand): Promise<readonly AnswerLine[] | string> => {
    const lines: AnswerLine[] = []
    const reading = (async () => {
      const { running } = cluster.node('w1')
      for await (const line of (isCommand(request) ? running?.carryOut(request, signal) : running?.query(request, signal)) ?? [])
        lines.push(line)
    })().catch((thrown: unknown) => asClusterError(thrown).sentence)
    await cluster.clock.advance(2_000)
    return (await reading) ?? lines.filter(({ kind }) => kind !== 'cluster' && kind !== 'end')
  }
  return { cluster, answered }
}

describe('a worker', () => {
  it('creates, shows, changes and removes groups through its master, with the same error numbers', async () => {
    const { answered, cluster } = await started()
    const adding = cluster.master.running?.agentOperations.add({ name: 'first', ip: 'any', key: 'a'.repeat(64), groups: [] }, signal)
    await cluster.clock.advance(2_000)
    await adding
    expect(await answered({ kind: 'createGroup', group: 'web', tool })).toEqual([{ kind: 'done', changed: 0 }])
    expect(await answered({ kind: 'createGroup', group: 'web', tool })).toBe('Error 1711 - The group already exists: web')
    const change = { kind: 'assign', ids: [1], group: 'web' } as const
    expect(await answered({ kind: 'changeGroups', change, tool })).toEqual([{ kind: 'done', changed: 1 }])
    expect(await answered({ kind: 'changeGroups', change: { ...change, ids: [7] }, tool })).toBe('Error 1701 - Agent does not exist')
    expect(await answered({ kind: 'agent', id: 1, tool })).toMatchObject([{ agent: { name: 'first', groups: ['web'] } }])
    expect(await answered({ kind: 'removeGroup', group: 'web', tool })).toEqual([{ kind: 'done', changed: 1 }])
    for (const node of cluster.nodes) expect(node.agentTable.list({}, 0)[0]).toMatchObject({ groups: ['default'] })
    // An embedding program comes by the same door.
    const operations = cluster.node('w1').running?.agentOperations
    const embedded = Promise.all([
      operations?.createGroup('db', signal).then(() => operations.changeGroups({ ...change, group: 'db' }, signal)),
      operations?.changeGroups({ ...change, ids: [7] }, signal).catch((thrown: unknown) => asClusterError(thrown).code),
    ])
    await cluster.clock.advance(2_000)
    expect(await embedded).toEqual([1, 'agentMissing'])
    // The simulation's checks of files do not know groups that an operator makes.
    await cluster.stopAll()
  })

  it('forwards nothing that enrols or removes agents, and nothing of agent_control', async () => {
    const { answered, cluster } = await started()
    for (const query of commands) expect(await answered(query)).toMatch(/^Error 3019 - .*agent_control is not available in worker nodes/)
    await cluster.stopAll()
  })
})

it('the master accepts from a worker only what it may forward, whatever the worker claims', async () => {
  const { cluster } = await started()
  const link = cluster.node('w1').running?.masterLink
  for (const query of [...commands, { kind: 'report', reports: [] } as const]) {
    expect(isForwarded(query)).toBe(false)
    const stream = link?.expectStream()
    const asking = link?.request('control.query', { stream: stream?.id ?? 0, query: JSON.stringify(query) }, { signal, timeoutMs: 1_000 })
    const refused = expect(asking).rejects.toMatchObject({ code: 'notOnWorker' })
    await cluster.clock.advance(1_000)
    await refused
    stream?.cancel()
  }
  await cluster.stopAll()
})
