/** What a worker may ask its master on behalf of the programs on its machine, and what it says to the others. */
import { ClusterError } from '../../base/errors.js'
import type { ControlRequest } from './controlRequest.js'

/** Agents are enrolled and removed by requests of their own, and reported to the node that they are connected to. */
type Kind = Exclude<ControlRequest['kind'], 'report' | 'addAgent' | 'removeAgent'>
export type ForwardedRequest = Extract<ControlRequest, { readonly kind: Kind }>

const kinds: Readonly<Record<Kind, true>> = {
  ...{ nodes: true, health: true, files: true, overview: true, events: true, check: true, agents: true },
  ...{ agent: true, groups: true, groupFiles: true, changeGroups: true, createGroup: true, removeGroup: true, reconnectAgents: true },
  ...{ agentDetails: true, agentSummary: true, nodeReports: true },
  setNodeState: true,
}

/** As with Wazuh, agent_groups works from any node, and agent_control on the master only, but for what Wazuh's does not have. The master checks this as well as the worker. */
export const isForwarded = (request: ControlRequest): request is ForwardedRequest =>
  Object.hasOwn(kinds, request.kind) && (request.kind === 'reconnectAgents' || !('tool' in request && request.tool === 'agent_control'))

/** To agent_control, which works on the master only: Wazuh's sentence, which scripts know. */
export const notOnWorker = (masterAddress: string): ClusterError =>
  new ClusterError('notOnWorker', {
    message:
      'Wazuh is running in cluster mode: agent_control is not available in worker nodes. ' +
      `Please, try again in the master node: ${masterAddress}.`,
  })
