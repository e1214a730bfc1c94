/**
 * What listeners, operators and embedding programs do with agents, on any node. The master alone decides who exists and which
 * groups they have: a worker asks it to enrol and to remove, and refuses the rest.
 */

import { ClusterError } from '../../base/errors.js'
import type { AgentReport } from '../../domain/agents/agentQuery.js'
import { checkedReports } from '../../domain/agents/checkedReports.js'
import type { GroupsChange } from '../../domain/agents/groups.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { Link } from '../../ports/link.js'
import type { ReportOutcome } from './agentReports.js'
import type { AgentRequest } from './localKeys.js'
import type { LocalAgents } from './nodeAgents.js'

export interface AgentOperations {
  /**
   * What was seen of agents of this node just now; resolves when it is durable. Facts that break a rule are left out, and named in the
   * outcome. Fails with `malformed` for what is no report (an unknown kind or fact), with `overloaded` or `tableFailed`.
   */
  report(reports: readonly AgentReport[]): Promise<ReportOutcome>
  /** Enrols an agent. Fails with the rules' codes (errors from 9005 on), on a worker with `notConnected` when there is no master. */
  add(request: AgentRequest, signal: AbortSignal): Promise<KeyEntry>
  /** Fails with `unknownAgent`, on a worker with `notConnected` when there is no master. */
  remove(id: number, signal: AbortSignal): Promise<void>
  /** Master only, else `notOnWorker`. Returns how many agents changed. */
  changeGroups(change: GroupsChange, signal: AbortSignal): Promise<number>
  /** Master only. */
  createGroup(group: string, signal: AbortSignal): Promise<void>
  /** Master only. Returns how many agents had the group. */
  removeGroup(group: string, signal: AbortSignal): Promise<number>
}

export const agentOperations = (
  agents: LocalAgents,
  role: 'master' | 'worker',
  masterLink: () => Link | undefined,
  requestMsMax: number,
): AgentOperations => {
  const report = async (reports: readonly AgentReport[]): Promise<ReportOutcome> => {
    const checked = checkedReports(reports)
    if (!checked.ok) throw checked.error
    return agents.reports.add(checked.value)
  }
  if (role === 'master') {
    return {
      report,
      add: (request, signal) => agents.keys.add(request, signal),
      remove: async (id, signal) => {
        await agents.keys.remove(id, signal)
      },
      changeGroups: (change, signal) => agents.groups.change(change, signal),
      createGroup: (group, signal) => agents.groups.create(group, signal),
      removeGroup: (group, signal) => agents.groups.remove(group, signal),
    }
  }
  const master = (): Link => {
    const link = masterLink()
    if (link) return link
    throw new ClusterError('notConnected', { message: 'The master, the only node that can enrol and remove agents, is not connected' })
  }
  const refuse = (): Promise<never> => Promise.reject(new ClusterError('notOnWorker'))
  return {
    report,
    add: async ({ groups, ...request }, signal) =>
      master().request('agents.add', { ...request, groups: [...groups] }, { signal, timeoutMs: requestMsMax }),
    remove: async (id, signal) => {
      await master().request('agents.remove', { id }, { signal, timeoutMs: requestMsMax })
    },
    changeGroups: refuse,
    createGroup: refuse,
    removeGroup: refuse,
  }
}
