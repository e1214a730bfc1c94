/**
 * The one door for what listeners, operators and embedding programs do with agents, on any node: the local socket, the threads that
 * answer workers and createNode all come by here. The master alone decides who exists and which groups they have: it leaves to a real
 * manager what is the manager's, and logs what it did. A worker asks the master.
 */

import { counted } from '../../base/counted.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { AgentCommand } from '../../domain/agents/agentCommand.js'
import type { AgentReport } from '../../domain/agents/agentReport.js'
import { checkedReports } from '../../domain/agents/checkedReports.js'
import type { EnrolmentRequest } from '../../domain/agents/enrolmentRequest.js'
import type { GroupsChange } from '../../domain/agents/groups.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import { type LeftChange, leftToManager, type Manager } from '../../domain/agents/leftToManager.js'
import type { Link } from '../../ports/link.js'
import type { Log } from '../../ports/machine.js'
import type { ReportOutcome } from './agentReports.js'
import type { AgentRequest } from './localKeys.js'
import type { LocalAgents } from './nodeAgents.js'
import type { Reconnected, ReconnectRequest } from './reconnectRequest.js'

export interface AgentOperations {
  /**
   * What was seen of agents of this node just now; resolves when it is durable. Facts that break a rule are left out, and named in the
   * outcome. Fails with `malformed` for what is no report (an unknown kind or fact), with `overloaded` or `tableFailed`.
   */
  report(reports: readonly AgentReport[]): Promise<ReportOutcome>
  /** Enrols an agent. Fails with the rules' codes (errors from 9005 on), on a worker with `notConnected` when there is no master. */
  add(request: AgentRequest, signal: AbortSignal): Promise<KeyEntry>
  /**
   * An agent enrols, perhaps in place of one that has its name or its address (domain/agents/replacement). Resolves when it is durable on
   * the master. The same agent that asks again within a minute, and did not connect meanwhile, gets the same. Fails as `add` does.
   */
  enrol(request: EnrolmentRequest, signal: AbortSignal): Promise<KeyEntry>
  /** Fails with `unknownAgent`, on a worker with `notConnected` when there is no master. */
  remove(id: number, signal: AbortSignal): Promise<void>
  /** Returns how many agents changed. On a worker by the rules of agent_groups, which fails with `agentMissing` for agents that are not there. */
  changeGroups(change: GroupsChange, signal: AbortSignal): Promise<number>
  createGroup(group: string, signal: AbortSignal): Promise<void>
  /** Returns how many agents had the group. */
  removeGroup(group: string, signal: AbortSignal): Promise<number>
  /**
   * Asks agents to reconnect that are connected to these nodes; says how many at each of them. Fails with `unknownNode`, `agentMissing`, on
   * a worker with `notConnected` when there is no master.
   */
  reconnect(request: ReconnectRequest, signal: AbortSignal): Promise<readonly Reconnected[]>
}

export interface MasterOperationsOptions {
  readonly agents: LocalAgents
  /** The manager's directory, for sentences. */
  readonly home: string
  readonly manager: Manager
  /** Asks the nodes that have these agents. */
  readonly reconnect: AgentOperations['reconnect']
}

/** The master carries out. `log`: of the caller; it says through which node an agent or a group was changed. */
export const masterOperations = ({ agents, home, manager, reconnect }: MasterOperationsOptions, log: Log): AgentOperations => {
  const assertOurs = (change: LeftChange): void => {
    if (manager === 'wazuh') throw leftToManager(change, home)
  }
  return {
    report: (reports) => report(agents, reports),
    add: async (request, signal) => {
      assertOurs({ kind: 'add' })
      const entry = await agents.keys.add(request, signal)
      log.info(`Agent '${entry.name}' was enrolled as ${agentIdText(entry.id)}.`)
      return entry
    },
    enrol: async (request, signal) => {
      assertOurs({ kind: 'add' })
      const { entry, isRepeated, replaced } = await agents.keys.enrol(request, signal)
      for (const sentence of replaced) log.info(sentence)
      const was = isRepeated ? 'asked again and got the key of its enrolment' : 'was enrolled'
      log.info(`Agent '${entry.name}' ${was} as ${agentIdText(entry.id)}, from ${request.source}.`)
      return entry
    },
    remove: async (id, signal) => {
      assertOurs({ kind: 'remove', id })
      await agents.keys.remove(id, signal)
      log.info(`Agent ${agentIdText(id)} was removed.`)
    },
    changeGroups: async (change, signal) => {
      assertOurs({ kind: 'groups' })
      const changed = await agents.groups.change(change, signal)
      const whose = 'ids' in change && change.ids.length === 1 ? `agent ${agentIdText(change.ids[0] ?? 0)}` : counted(changed, 'agent')
      if (changed > 0) log.info(`The groups of ${whose} were changed.`)
      return changed
    },
    createGroup: async (group, signal) => {
      assertOurs({ kind: 'groups' })
      await agents.groups.create(group, signal)
      log.info(`Group '${group}' was created.`)
    },
    removeGroup: async (group, signal) => {
      assertOurs({ kind: 'groups' })
      const changed = await agents.groups.remove(group, signal)
      log.info(`Group '${group}' was removed, from ${counted(changed, 'agent')}.`)
      return changed
    },
    reconnect: async (request, signal) => {
      // A real manager can be had ask the agents that are named.
      if (request.ids === undefined) assertOurs({ kind: 'reconnect' })
      const outcomes = await reconnect(request, signal)
      const asked = outcomes.filter(({ agents: there }) => there > 0).map(({ agents: there, node }) => `${node}: ${there}`)
      log.info(`Agents were asked to reconnect (${asked.length > 0 ? asked.join(', ') : 'none is connected'}).`)
      return outcomes
    },
  }
}

export interface WorkerOperationsOptions {
  readonly agents: LocalAgents
  /** Fails with `notConnected`. */
  readonly master: () => Link
  /** Has the master do what agent_groups says; returns how many agents changed. */
  readonly carryOut: (command: AgentCommand, signal: AbortSignal) => Promise<number>
  readonly requestMsMax: number
}

/** A worker asks its master, which carries out and logs. */
export const workerOperations = ({ agents, carryOut, master, requestMsMax: timeoutMs }: WorkerOperationsOptions): AgentOperations => ({
  report: (reports) => report(agents, reports),
  add: async ({ groups, ip, key, name }, signal) =>
    master().request('agents.add', { name, ip, key, groups: [...groups] }, { signal, timeoutMs }),
  enrol: async ({ groups, ip, key, keyHash, name, source }, signal) => {
    const body = { name, ip, key, groups: [...groups], ...(keyHash !== undefined && { keyHash }), source }
    return master().request('agents.enrol', body, { signal, timeoutMs })
  },
  remove: async (id, signal) => {
    await master().request('agents.remove', { id }, { signal, timeoutMs })
  },
  changeGroups: (change, signal) => carryOut({ kind: 'changeGroups', change, tool: 'agent_groups' }, signal),
  createGroup: async (group, signal) => {
    await carryOut({ kind: 'createGroup', group, tool: 'agent_groups' }, signal)
  },
  removeGroup: (group, signal) => carryOut({ kind: 'removeGroup', group, tool: 'agent_groups' }, signal),
  reconnect: async ({ ids, nodes }, signal) => {
    const body = { all: ids === undefined, ids: [...(ids ?? [])], nodes: [...(nodes ?? [])] }
    return (await master().request('agents.reconnect', body, { signal, timeoutMs })).nodes
  },
})

const report = async ({ reports: taken }: LocalAgents, reports: readonly AgentReport[]): Promise<ReportOutcome> => {
  const checked = checkedReports(reports)
  if (!checked.ok) throw checked.error
  return taken.add(checked.value)
}
