/** What a worker may ask its master on behalf of the programs on its machine. */
import type { ClusterQuery } from './clusterView.js'

/** Agents are enrolled and removed by requests of their own, and reported to the node that they are connected to. */
type Kind = Exclude<ClusterQuery['kind'], 'report' | 'addAgent' | 'removeAgent'>
export type ForwardedQuery = Extract<ClusterQuery, { readonly kind: Kind }>

const kinds: Readonly<Record<Kind, true>> = {
  ...{ nodes: true, health: true, files: true, agents: true },
  ...{ agent: true, groups: true, groupFiles: true, changeGroups: true, createGroup: true, removeGroup: true },
}

/** As with Wazuh, agent_groups works from any node, and agent_control on the master only. The master checks this as well as the worker. */
export const isForwarded = (query: ClusterQuery): query is ForwardedQuery =>
  Object.hasOwn(kinds, query.kind) && !('tool' in query && query.tool === 'agent_control')
