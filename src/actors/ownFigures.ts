/** What a running node says of itself (domain/cluster/nodeFigures): put together at each question, from what is counted where it happens. */
import type { AgentCounts } from '../domain/agents/agent.js'
import type { NodeFigures } from '../domain/cluster/nodeFigures.js'
import { certificateFigures } from './cluster/certificateWatch.js'
import type { NodeParts, NodeRole } from './nodeContext.js'

export const ownFigures = async (
  { agents, fronts, identity, meter, ports, startedMs, tree }: NodeParts,
  role: NodeRole,
): Promise<NodeFigures> => {
  const { cluster, node, timings, type, version } = identity
  const [counts, process] = await Promise.all([agents.recentCounts(), ports.process?.read()])
  const ofRole = role.figures()
  const apiCertificate = fronts.api.running?.certificate
  return {
    ...{ cluster, node, process, startedMs, type, version },
    nowMs: ports.clock.now(),
    ...meter.figures,
    ...ofRole,
    syncedFiles: tree.manifest.files,
    hasScanned: tree.isKnown,
    syncIntervalMs: timings.syncIntegrityMs,
    agents: agentFigures(counts, new Set([node, ...ofRole.workers.map(({ name }) => name)])),
    agentReportsQueued: agents.reports.waiting,
    agentReports: agents.reports.taken,
    certificates: [
      ...certificateFigures(ports.certificates, node),
      ...(apiCertificate ? [{ kind: 'api' as const, ...apiCertificate }] : []),
    ],
  }
}

/** Agents may be at nodes that have long gone: each name would be a series of its own for ever. */
const agentFigures = ({ byNode, byStatus }: AgentCounts, knownNodes: ReadonlySet<string>): NodeFigures['agents'] => {
  const rows = new Map<string, { node: string; status: string; count: number }>()
  const add = (node: string, status: string, count: number): void => {
    const row = rows.get(`${status} ${node}`) ?? { node, status, count: 0 }
    rows.set(`${status} ${node}`, { ...row, count: row.count + count })
  }
  for (const [node, ofNode] of byNode)
    for (const [status, count] of Object.entries(ofNode)) add(knownNodes.has(node) ? node : '', status, count)
  if (byStatus.never_connected > 0) add('', 'never_connected', byStatus.never_connected)
  return [...rows.values()]
}
