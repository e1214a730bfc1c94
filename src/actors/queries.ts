/**
 * What a node answers to cluster_control: the master from what it knows, a worker by asking the master. Answers are
 * sequences of lines, so that the longest of them is never held whole.
 */
import { parseAnswerLine } from '../domain/answerLine.js'
import { parseQuery } from '../domain/clusterQuery.js'
import type { AnswerLine, ClusterQuery, NodeHealth, NodeView } from '../domain/clusterView.js'
import { heldReason } from '../domain/lastingFile.js'
import { splitLines } from '../domain/splitLines.js'
import type { FileEntry } from '../domain/tree.js'
import type { FileState } from '../domain/workerState.js'
import { asClusterError, ClusterError } from '../errors.js'
import { limits } from '../limits.js'
import type { Link, OutgoingStream } from '../ports.js'
import { type AgentsView, agentAnswer } from './agentQueries.js'
import type { LocalAgents } from './localAgents.js'
import type { LocalTree } from './localTree.js'
import type { Member, Registry } from './registry.js'
import { type ServingInput, servingThread } from './servingThread.js'

export interface MasterView extends AgentsView {
  readonly cluster: string
  readonly registry: Registry
  readonly tree: LocalTree
}

const nodeView = (member: Member): NodeView => ({
  name: member.name,
  type: 'worker',
  version: member.link.peer.version,
  address: member.link.peer.address,
})

const healthOf = (member: Member, activeAgents: number): NodeHealth => {
  const { clockSkewMs, lastAgentGroups, lastAgentGroupsFull, lastAgentInfo, lastCheck, lastKeepAliveMs, lastSync } = member.state
  return {
    ...nodeView(member),
    activeAgents,
    worker: {
      ...(lastKeepAliveMs !== undefined && { lastKeepAliveMs }),
      ...(clockSkewMs !== undefined && { clockSkewMs }),
      ...(lastCheck && { integrityCheck: lastCheck }),
      ...(lastSync && { integritySync: lastSync }),
      ...(lastAgentInfo && { agentInfo: lastAgentInfo }),
      ...(lastAgentGroups && { agentGroups: lastAgentGroups }),
      ...(lastAgentGroupsFull && { agentGroupsFull: lastAgentGroupsFull }),
      integrityFree: !member.state.isSyncing,
      agentInfoFree: !member.state.isReportingAgents,
    },
  }
}

/** Questions that the master answers; `report` is for the node that it is told to. */
export type MasterQuery = Exclude<ClusterQuery, { readonly kind: 'report' }>

/** The master's answer, built as it is read. */
export async function* masterAnswer(
  view: MasterView,
  query: MasterQuery,
  signal: AbortSignal,
): AsyncGenerator<AnswerLine, void, undefined> {
  const { agents, cluster, registry, self, tree } = view
  const nodes = 'nodes' in query ? query.nodes : undefined
  const wanted = (name: string): boolean => !nodes || nodes.includes(name)
  const absent = (nodes ?? []).filter((name) => name !== self.name && !registry.get(name))
  const unknownNodes = query.kind === 'agents' ? await withoutAgents(absent, agents, signal) : absent
  yield { kind: 'cluster', name: cluster, unknownNodes }
  const members = registry.members().filter((member) => wanted(member.name))
  switch (query.kind) {
    case 'nodes':
      if (wanted(self.name)) yield { kind: 'node', node: self }
      for (const member of members) yield { kind: 'node', node: nodeView(member) }
      break
    case 'health': {
      const { activeByNode } = await agents.counts()
      const activeOf = (name: string): number => activeByNode.get(name) ?? 0
      if (wanted(self.name)) yield { kind: 'health', node: { ...self, activeAgents: activeOf(self.name) } }
      for (const member of members) yield { kind: 'health', node: healthOf(member, activeOf(member.name)) }
      break
    }
    case 'files':
      for (const member of members) yield* filesOf(member, tree, query.all)
      break
    default:
      yield* agentAnswer(view, query, signal)
  }
  yield { kind: 'end' }
}

/** The first of these nodes that no agent was at: a node that is not connected still has the agents that reported there last. */
const withoutAgents = async (nodes: readonly string[], agents: LocalAgents, signal: AbortSignal): Promise<readonly string[]> => {
  if (nodes.length > 0) await agents.usable(signal)
  for (const node of new Set(nodes)) if ((await agents.store.shape({ nodes: [node] })).count === 0) return [node]
  return []
}

function* filesOf(member: Member, tree: LocalTree, all: boolean): Generator<AnswerLine> {
  const { failuresLeftOut, files, inSync, isCompared, refusal } = member.state
  const held = [...tree.manifest.entries()].filter((entry) => entry.held && !files.has(entry.path))
  const rows = new Map([...files, ...held.map(heldRow)])
  const failed = [...rows.values()].filter(({ state }) => state === 'failed').length
  yield {
    kind: 'filesOf',
    summary: {
      node: member.name,
      inSync: inSync && held.length === 0,
      files: tree.manifest.files,
      pending: rows.size - failed,
      failed,
      failuresLeftOut,
      ...(refusal && { code: refusal.code, error: refusal.message }),
    },
  }
  const rest = { state: isCompared ? 'synced' : 'pending', error: undefined } as const
  const others = all ? [...tree.manifest.entries()].flatMap(({ path }) => (rows.has(path) ? [] : [path])) : []
  for (const file of [...rows.keys(), ...others].sort()) {
    const { error, state } = rows.get(file) ?? rest
    yield { kind: 'file', row: { node: member.name, file, state, ...(error && { code: error.code, error: error.message }) } }
  }
}

const heldRow = (entry: FileEntry): [string, FileState] => [
  entry.path,
  { state: 'failed', error: { code: 'fileFailed', message: heldReason(entry) } },
]

/** A worker's answer: the master's. */
export async function* forwardedAnswer(
  masterLink: Link,
  query: ClusterQuery,
  signal: AbortSignal,
  timeoutMs: number,
): AsyncGenerator<AnswerLine, void, undefined> {
  const stream = masterLink.expectStream()
  try {
    await masterLink.request('control.query', { stream: stream.id, query: JSON.stringify(query) }, { signal, timeoutMs })
    for await (const line of splitLines(stream, limits.messageBytesMax)) {
      const parsed = parseAnswerLine(line)
      if (!parsed.ok) throw parsed.error
      yield parsed.value
    }
  } finally {
    stream.cancel()
  }
}

/** The master's thread that answers the queries that a worker forwards. */
export const clusterQueries = servingThread('queries')

export const queriesServing = (link: Link, view: MasterView): ServingInput => ({
  link,
  answers: (signal) => ({
    'control.query': ({ stream, query: text }) => {
      const parsed = parseQuery(text)
      if (!parsed.ok) throw parsed.error
      const query = parsed.value
      // Commands, and what else only the programs on the master may ask, do not come from another node.
      if (query.kind === 'report' || ('tool' in query && query.tool !== undefined)) throw new ClusterError('notOnWorker')
      void sendLines(link.openStream(stream), masterAnswer(view, query, signal), signal)
      return {}
    },
  }),
})

const sendLines = async (stream: OutgoingStream, lines: AsyncIterable<AnswerLine>, signal: AbortSignal): Promise<void> => {
  try {
    let pending = ''
    for await (const line of lines) {
      pending += `${JSON.stringify(line)}\n`
      if (pending.length < limits.streamChunkBytesMax / 8) continue
      signal.throwIfAborted()
      await stream.write(Buffer.from(pending))
      pending = ''
    }
    if (pending !== '') await stream.write(Buffer.from(pending))
    stream.end()
  } catch (thrown) {
    stream.reset(asClusterError(thrown, 'requestFailed'))
  }
}
