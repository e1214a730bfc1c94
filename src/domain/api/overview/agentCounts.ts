/** Agents by node and status, as a table with its totals. */
import type { NodeOverview } from '../../queries/clusterAnswer.js'

export interface AgentCounts {
  /** The columns: those that Wazuh has, and any other that a node names. */
  readonly statuses: readonly string[]
  readonly rows: readonly { readonly node: string; readonly counts: readonly number[]; readonly total: number }[]
  readonly totals: readonly number[]
  readonly total: number
}

/** In the order in which an operator reads them. */
const usualStatuses = ['active', 'disconnected', 'pending', 'never_connected'] as const
const otherStatusesMax = 4

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)

export const agentCounts = (nodes: readonly Pick<NodeOverview, 'name' | 'agents'>[]): AgentCounts => {
  const usual = new Set<string>(usualStatuses)
  const others = new Set(nodes.flatMap(({ agents }) => Object.keys(agents)).filter((status) => !usual.has(status)))
  const statuses = [...usualStatuses, ...[...others].sort().slice(0, otherStatusesMax)]
  const rows = nodes.map(({ agents, name }) => {
    const counts = statuses.map((status) => (Object.hasOwn(agents, status) ? (agents[status] ?? 0) : 0))
    return { node: name, counts, total: sum(counts) }
  })
  const totals = statuses.map((_, at) => sum(rows.map(({ counts }) => counts[at] ?? 0)))
  return { statuses, rows, totals, total: sum(totals) }
}
