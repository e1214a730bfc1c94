/** What operators ask of a simulated agents' table, over the views of its agents. */
import {
  type AgentCounts,
  type AgentFilter,
  type AgentListShape,
  type AgentStatus,
  type AgentView,
  agentIdText,
  shownIp,
} from '../../domain/agents/agent.js'

export const isListed = ({ groups, id, node, status }: AgentView, { group, ids, nodes, statuses }: AgentFilter): boolean =>
  (!nodes || (node !== undefined && nodes.includes(node))) &&
  (!statuses || statuses.includes(status)) &&
  (group === undefined || groups.includes(group)) &&
  (!ids || ids.includes(id))

const widest = (texts: readonly string[]): number => texts.reduce((most, text) => Math.max(most, [...text].length), 0)

/** `views` are in order of the IDs. */
export const shapeOf = (views: readonly AgentView[]): AgentListShape => ({
  count: views.length,
  idDigits: agentIdText(views.at(-1)?.id ?? 0).length,
  nameChars: widest(views.map(({ name }) => name)),
  ipChars: widest(views.map(shownIp)),
  statusChars: widest(views.map(({ status }) => status)),
  versionChars: widest(views.map(({ facts }) => facts?.version ?? '')),
  nodeChars: widest(views.map(({ node = '' }) => node)),
})

export const countsOf = (views: readonly AgentView[]): AgentCounts => {
  const byNode = new Map<string, Partial<Record<AgentStatus, number>>>()
  const byStatus: Record<AgentStatus, number> = { never_connected: 0, pending: 0, active: 0, disconnected: 0 }
  let withoutGroups = 0
  for (const { groups, node, status } of views) {
    if (groups.length === 0) withoutGroups += 1
    byStatus[status] += 1
    if (node === undefined) continue
    const ofNode = byNode.get(node) ?? {}
    byNode.set(node, { ...ofNode, [status]: (ofNode[status] ?? 0) + 1 })
  }
  return { byNode, byStatus, withoutGroups }
}
