/** A row for every node that is or was in the cluster, the master itself first: what the page shows at a time. */

import { type NodeFigures, type TrafficFigures, trafficKinds } from '../../domain/cluster/nodeFigures.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import type { NodeOverview, NodeView } from '../../domain/queries/clusterAnswer.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import type { NodeStates } from '../cluster/nodeStates.js'
import type { KnownWorker, WorkerRecords } from '../cluster/workerRecords.js'
import type { LocalTree } from '../files/localTree.js'

export interface OverviewView {
  readonly self: NodeView
  /** When this node began. */
  readonly startedMs: number
  readonly agents: LocalAgents
  readonly records: WorkerRecords
  readonly states: NodeStates
  readonly tree: LocalTree
  /** Of this node. */
  readonly figures: () => Promise<NodeFigures>
}

type AgentsOfNode = Pick<NodeOverview, 'activeAgents' | 'agents'>

export async function* overviewAnswer({
  agents,
  figures,
  records,
  self,
  startedMs,
  states,
  tree,
}: OverviewView): AsyncGenerator<AnswerLine, void, undefined> {
  const { byNode } = await agents.recentCounts()
  const agentsOf = (name: string): AgentsOfNode => {
    const ofNode = byNode.get(name) ?? {}
    return { activeAgents: ofNode.active ?? 0, agents: { ...ofNode } }
  }
  const workers = records.workers()
  const certificate = (await figures()).certificates.find(({ kind }) => kind === 'node')
  const bytes = (of: (worker: KnownWorker) => TrafficFigures): number => workers.reduce((sum, worker) => sum + bytesOf(of(worker)), 0)
  const { files } = tree.manifest
  yield {
    kind: 'overview',
    node: {
      ...self,
      ...{ isConnected: true, state: states.stateOf(self.name), sinceMs: startedMs, inSync: true, files, pending: 0, failed: 0 },
      ...agentsOf(self.name),
      bytesSent: bytes(({ figures: { sent } }) => sent),
      bytesReceived: bytes(({ figures: { received } }) => received),
      ...(certificate && { certificateEndsMs: certificate.endsMs }),
    },
  }
  for (const worker of workers) yield { kind: 'overview', node: { ...workerRow(worker, files), ...agentsOf(worker.view.name) } }
}

const workerRow = ({ certificateEndsMs, figures, view }: KnownWorker, files: number): Omit<NodeOverview, keyof AgentsOfNode> => {
  const { clockSkewMs, filesFailed, filesPending, inSync, isConnected, lastKeepAliveMs, leftFor, roundTripMs, sinceMs, state } = figures
  return {
    ...view,
    ...{ isConnected, state, sinceMs, inSync, files },
    ...(leftFor && { error: leftFor.message }),
    ...(lastKeepAliveMs !== undefined && { lastKeepAliveMs }),
    ...(clockSkewMs !== undefined && { clockSkewMs }),
    ...(roundTripMs !== undefined && { roundTripMs }),
    pending: filesPending,
    failed: filesFailed,
    bytesSent: bytesOf(figures.sent),
    bytesReceived: bytesOf(figures.received),
    ...(certificateEndsMs !== undefined && { certificateEndsMs }),
  }
}

const bytesOf = (traffic: TrafficFigures): number => trafficKinds.reduce((sum, kind) => sum + traffic[kind], 0)
