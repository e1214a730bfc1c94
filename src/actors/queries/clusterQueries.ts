/**
 * What a node answers to the programs: the master from what it knows, a worker by asking the master. Answers are
 * sequences of lines, so that the longest of them is never held whole.
 */

import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { splitLines } from '../../base/splitLines.js'
import { figuresOf, type ListenerFigures } from '../../domain/cluster/listenerFigures.js'
import { checkedNode } from '../../domain/cluster/monitoring/nodeHealth.js'
import type { Span } from '../../domain/cluster/servedRounds.js'
import type { AnswerLine } from '../../domain/queries/answerLine.js'
import { parseAnswerLine } from '../../domain/queries/answerLine.js'
import type { NodeHealth, NodeView } from '../../domain/queries/clusterAnswer.js'
import type { ClusterQuery } from '../../domain/queries/clusterQuery.js'
import { type ControlCommand, isCommand, parseControlRequest } from '../../domain/queries/controlRequest.js'
import { type ForwardedRequest, isForwarded } from '../../domain/queries/forwardedRequest.js'
import type { Link, OutgoingStream } from '../../ports/link.js'
import type { Clock } from '../../ports/machine.js'
import type { LocalAgents } from '../agents/nodeAgents.js'
import type { ClusterEvents } from '../cluster/clusterEvents.js'
import type { NodeStates } from '../cluster/nodeStates.js'
import type { Member } from '../cluster/registry.js'
import { nodeViewOf } from '../cluster/workerRecords.js'
import type { LocalTree } from '../files/localTree.js'
import { pause } from '../kit/pause.js'
import { RunningAnswers } from '../kit/runningAnswers.js'
import type { ServingInput } from '../kit/servingThread.js'
import { Turns } from '../kit/turns.js'
import { type CommandView, commandAnswer } from './agentCommands.js'
import { type AgentsView, agentAnswer } from './agentQueries.js'
import { filesAnswer } from './filesAnswer.js'
import { type NodeReportsView, nodeReports } from './nodeReports.js'
import { type NodeStatesView, nodeStateAnswer } from './nodeStateAnswer.js'
import { type OverviewView, overviewAnswer } from './overviewAnswer.js'

export interface MasterView extends AgentsView, CommandView, NodeReportsView, NodeStatesView, OverviewView {
  readonly self: NodeView
  readonly events: ClusterEvents
  readonly tree: LocalTree
  readonly clock: Pick<Clock, 'setTimeout' | 'clearTimeout'>
  /** Of this node. */
  readonly listenerCounts: () => Promise<ListenerFigures | undefined>
}

const nodeView = (member: Member, states: NodeStates): NodeView => ({ ...nodeViewOf(member), state: states.stateOf(member.name) })

const chunkedSpan = ({ chunks, endMs, startMs }: Span & { readonly chunks: number }) => ({ startMs, endMs, chunks })

const healthOf = (member: Member, states: NodeStates, activeAgents: number): NodeHealth => {
  const { certificate } = member.link.peer
  const { agentGroups, agentGroupsFull, agentInfo, check, sync } = member.state
  const { clockSkewMs, diskWrites, integrity, isCompressed, isSyncing, lastKeepAliveMs, listener, unknownAgentReports } = member.state
  return {
    ...nodeView(member, states),
    activeAgents,
    ...(listener && { listener }),
    worker: {
      ...(lastKeepAliveMs !== undefined && { lastKeepAliveMs }),
      ...(clockSkewMs !== undefined && { clockSkewMs }),
      ...(check.last && { integrityCheck: check.last }),
      ...(sync.last && { integritySync: sync.last }),
      ...(agentInfo.last && { agentInfo: chunkedSpan(agentInfo.last) }),
      ...(agentGroups.last && { agentGroups: agentGroups.last }),
      ...(agentGroupsFull.last && { agentGroupsFull: agentGroupsFull.last }),
      key: member.link.peer.key,
      ...(certificate && { certificateEndsMs: Math.min(certificate.endsMs, certificate.ownEndsMs) }),
      integrity,
      ...(isCompressed !== undefined && { compressed: isCompressed }),
      ...(diskWrites && { diskWrites }),
      unknownAgentReports,
      integrityFree: !isSyncing,
      agentInfoFree: !agentInfo.isUnderWay,
    },
  }
}

/** Of an answer, written together. */
const pageChars = limits.streamChunkBytesMax / 4

/** The master's answer, built as it is read. */
export const masterAnswer = (
  view: MasterView,
  request: ClusterQuery | ControlCommand,
  signal: AbortSignal,
): AsyncGenerator<AnswerLine, void, undefined> => {
  if (!isCommand(request)) return queryAnswer(view, request, signal)
  return request.kind === 'setNodeState' ? nodeStateAnswer(view, request, signal) : commandAnswer(view, request, signal)
}

/** This node as the others show it. */
const selfView = ({ self, states }: MasterView): NodeView => ({ ...self, state: states.stateOf(self.name) })

/** Drained and removed ones. */
function* absentNodes({ registry, self, states }: MasterView, wanted: (name: string) => boolean): Generator<AnswerLine> {
  for (const [node, state] of states.all())
    if (state !== 'ready' && node !== self.name && !registry.get(node) && wanted(node)) yield { kind: 'absent', node, state }
}

async function* queryAnswer(view: MasterView, query: ClusterQuery, signal: AbortSignal): AsyncGenerator<AnswerLine, void, undefined> {
  const { agents, clock, cluster, registry, self, states, tree } = view
  const nodes = 'nodes' in query ? query.nodes : undefined
  const wanted = (name: string): boolean => !nodes || nodes.includes(name)
  const absent = (nodes ?? []).filter((name) => name !== self.name && !registry.get(name))
  const unknownNodes = query.kind === 'agents' ? await withoutAgents(absent, agents, signal) : absent
  yield { kind: 'cluster', name: cluster, unknownNodes }
  const members = registry.members().filter((member) => wanted(member.name))
  switch (query.kind) {
    case 'nodes':
      if (wanted(self.name)) yield { kind: 'node', node: selfView(view) }
      for (const member of members) yield { kind: 'node', node: nodeView(member, states) }
      yield* absentNodes(view, wanted)
      break
    case 'health': {
      const { byNode } = await agents.counts()
      const activeOf = (name: string): number => byNode.get(name)?.active ?? 0
      if (wanted(self.name)) {
        const counts = await view.listenerCounts()
        const listener = counts && { listener: figuresOf(counts) }
        yield { kind: 'health', node: { ...selfView(view), activeAgents: activeOf(self.name), ...listener } }
      }
      for (const member of members) yield { kind: 'health', node: healthOf(member, states, activeOf(member.name)) }
      yield* absentNodes(view, wanted)
      break
    }
    case 'files': {
      const turns = new Turns(clock, signal)
      for (const { name: node, state } of members) yield* filesAnswer({ node, state, manifest: tree.manifest, all: query.all }, turns)
      break
    }
    case 'nodeReports':
      yield* nodeReports(view, { isAsked: wanted, isWhole: query.whole ?? false, members }, signal)
      break
    case 'overview':
      yield* overviewAnswer(view)
      break
    case 'check':
      yield { kind: 'checked', checked: checkedNode(await view.figures()) }
      break
    case 'events':
      for (const event of view.events.after(query.after)) yield { kind: 'event', event }
      break
    default:
      yield* agentAnswer(view, query, signal)
  }
  yield { kind: 'end' }
}

/** The first of these nodes that no agent was at: a node that is not connected still has the agents that reported there last. */
const withoutAgents = async (nodes: readonly string[], agents: LocalAgents, signal: AbortSignal): Promise<readonly string[]> => {
  if (nodes.length > 0) await agents.table.usable(signal)
  for (const node of new Set(nodes)) if ((await agents.store.shape({ nodes: [node] })).count === 0) return [node]
  return []
}

/** A worker's answer: the master's. */
export async function* forwardedAnswer(
  masterLink: Link,
  request: ForwardedRequest,
  signal: AbortSignal,
  timeoutMs: number,
): AsyncGenerator<AnswerLine, void, undefined> {
  const stream = masterLink.expectStream()
  try {
    await masterLink.request('control.query', { stream: stream.id, query: JSON.stringify(request) }, { signal, timeoutMs })
    for await (const line of splitLines(stream, limits.messageBytesMax)) {
      const parsed = parseAnswerLine(line)
      if (!parsed.ok) throw parsed.error
      yield parsed.value
    }
  } finally {
    stream.cancel()
  }
}

/** The master's thread that answers the queries and commands that a worker forwards. */
export const clusterQueriesInput = (link: Link, view: MasterView): ServingInput => {
  const answers = new RunningAnswers('questions', limits.answersPerLinkMax)
  return {
    link,
    answers: (thread) => ({
      'control.query': ({ stream, query: text }) => {
        const parsed = parseControlRequest(text)
        if (!parsed.ok) throw parsed.error
        const request = parsed.value
        if (!isForwarded(request)) throw new ClusterError('notOnWorker')
        answers.begin({ kind: 'control', link, stream, thread, otherwise: 'requestFailed', send: (out) => sendLines(out, request, view) })
        return {}
      },
    }),
  }
}

const sendLines = async (stream: OutgoingStream, request: ForwardedRequest, view: MasterView): Promise<void> => {
  const { signal } = stream
  // A peer that takes its question back at once has cost nothing yet.
  await pause(view.clock, 0, signal)
  let page = ''
  for await (const line of masterAnswer(view, request, signal)) {
    page += `${JSON.stringify(line)}\n`
    if (page.length < pageChars) continue
    await stream.write(Buffer.from(page))
    page = ''
    // A peer that has room for all of it must not keep the master from everything else.
    await pause(view.clock, 0, signal)
  }
  if (page !== '') await stream.write(Buffer.from(page))
  stream.end()
}
