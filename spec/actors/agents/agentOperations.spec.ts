/** The one entry point for operations on agents: what it logs, what it leaves to a real manager, what a worker asks its master. */
import { describe, expect, it } from 'vitest'
import { type AgentOperations, masterOperations, workerOperations } from '../../../src/actors/agents/agentOperations.js'
import { asClusterError, ClusterError } from '../../../src/base/errors.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { localAgentsOver } from '../../support/agents/localAgentsOver.js'
import { recordingLog } from '../../support/recordingLog.js'
import { ScriptedLink } from '../../support/scriptedLink.js'

const { signal } = new AbortController()
const request = { name: 'first', ip: 'any', key: 'a'.repeat(64), groups: [] }

const enrolment = { ...request, name: 'second', key: 'b'.repeat(64), keyHash: 'c'.repeat(40), source: '10.0.0.7' }

const onMaster = async (manager: 'none' | 'wazuh') => {
  const clock = new VirtualClock()
  const { agents, keepTable, table, writeKeys } = localAgentsOver(clock, 'master')
  writeKeys(manager === 'none' ? [] : [1])
  const log = recordingLog()
  const settled = async <T>(doing: Promise<T>): Promise<T | string> => {
    const done = doing.catch((thrown: unknown) => asClusterError(thrown).code)
    await clock.advance(10_000)
    return done
  }
  await keepTable()
  const operations = masterOperations({ agents, home: '/var/ossec', manager, reconnect: async () => [{ node: 'm', agents: 2 }] }, log)
  return { log, operations, settled, table }
}

/** All operations that change something, in an order in which each can succeed. */
const changes: readonly ((operations: AgentOperations) => Promise<unknown>)[] = [
  (operations) => operations.add(request, signal),
  (operations) => operations.enrol(enrolment, signal),
  (operations) => operations.createGroup('web', signal),
  (operations) => operations.changeGroups({ kind: 'assign', ids: [1], group: 'web' }, signal),
  (operations) => operations.removeGroup('web', signal),
  (operations) => operations.remove(1, signal),
  (operations) => operations.reconnect({}, signal),
]

describe('the operations of a master', () => {
  it('each log one line in the log of the caller', async () => {
    const { log, operations, settled } = await onMaster('none')
    for (const change of changes) expect(await settled(change(operations))).not.toEqual(expect.any(String))
    expect(log.lines).toEqual([
      "info [-] [-] Agent 'first' was enrolled as 001.",
      "info [-] [-] Agent 'second' was enrolled as 002, from 10.0.0.7.",
      "info [-] [-] Group 'web' was created.",
      'info [-] [-] The groups of agent 001 were changed.',
      "info [-] [-] Group 'web' was removed, from 1 agent.",
      'info [-] [-] Agent 001 was removed.',
      'info [-] [-] Agents were asked to reconnect (m: 2).',
    ])
  })

  it('leave nothing in the log when they changed nothing', async () => {
    const { log, operations, settled } = await onMaster('none')
    expect(await settled(operations.remove(7, signal))).toBe('unknownAgent')
    expect(await settled(operations.removeGroup('web', signal))).toBe('groupMissing')
    expect(await settled(operations.changeGroups({ kind: 'unassign', ids: [7], group: 'web' }, signal))).toBe(0)
    expect(log.lines).toEqual([])
  })

  it('are all refused beside a real manager, and change nothing', async () => {
    const { log, operations, settled, table } = await onMaster('wazuh')
    const before = table.list({}, 0)
    for (const change of changes) expect(await settled(change(operations))).toBe('leftToManager')
    expect(table.list({}, 0)).toEqual(before)
    expect(log.lines).toEqual([])
  })
})

describe('the operations of a worker', () => {
  const { agents } = localAgentsOver(new VirtualClock(), 'worker')

  it('ask the master for everything: to enrol and remove by own requests, the rest as agent_groups does', async () => {
    const asked: unknown[] = []
    const commands: unknown[] = []
    const link = new ScriptedLink('master', (type, body) => {
      asked.push([type, body])
      return Promise.resolve({ id: 1, ip: 'any', key: request.key, name: 'first' })
    })
    const operations = workerOperations({
      agents,
      master: () => link,
      carryOut: (command) => {
        commands.push(command)
        return Promise.resolve(3)
      },
      requestMsMax: 1_000,
    })
    expect(await operations.add(request, signal)).toMatchObject({ id: 1 })
    expect(await operations.enrol(enrolment, signal)).toMatchObject({ id: 1 })
    await operations.remove(1, signal)
    expect(asked).toEqual([
      ['agents.add', request],
      ['agents.enrol', enrolment],
      ['agents.remove', { id: 1 }],
    ])
    await operations.createGroup('web', signal)
    expect(await operations.changeGroups({ kind: 'dissolve', group: 'web' }, signal)).toBe(3)
    expect(await operations.removeGroup('web', signal)).toBe(3)
    expect(commands).toEqual([
      { kind: 'createGroup', group: 'web', tool: 'agent_groups' },
      { kind: 'changeGroups', change: { kind: 'dissolve', group: 'web' }, tool: 'agent_groups' },
      { kind: 'removeGroup', group: 'web', tool: 'agent_groups' },
    ])
  })

  it('fail with the error of the request to the master', async () => {
    const master = (): never => {
      throw new ClusterError('notConnected', { message: 'Because of this' })
    }
    const operations = workerOperations({ agents, master, carryOut: master, requestMsMax: 1_000 })
    for (const asking of [operations.add(request, signal), operations.enrol(enrolment, signal), operations.remove(1, signal)])
      await expect(asking).rejects.toMatchObject({ code: 'notConnected', message: 'Because of this' })
  })
})
