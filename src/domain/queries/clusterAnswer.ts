/** Answers about the cluster's nodes and files, as data: printed as text or as JSON by the programs. */
import { type Static, type TSchema, Type } from 'typebox'
import { count, type ReadonlyValue, timeMs } from '../../base/fields.js'
import { shownFigures } from '../cluster/listenerFigures.js'
import { severities } from '../cluster/monitoring/nodeHealth.js'
import { nodeReport } from '../cluster/nodeReport.js'
import { nodeState } from '../cluster/nodeState.js'

const line = <K extends string, T extends Record<string, TSchema>>(kind: K, rest: T) => Type.Object({ kind: Type.Literal(kind), ...rest })

const node = {
  name: Type.String(),
  type: Type.Union([Type.Literal('master'), Type.Literal('worker')]),
  /** Of Wazuh, as the node serves it. */
  version: Type.String(),
  /** Muster's; an earlier build's answer does not have it. */
  muster: Type.Optional(Type.String()),
  address: Type.String(),
  /** An earlier build's answer does not have it. */
  state: Type.Optional(nodeState()),
}
const nodeView = Type.Object(node)

/** Milliseconds since 1970, by the master's clock. */
const span = { startMs: timeMs(), endMs: timeMs() }
const spanView = Type.Object(span)
const chunked = Type.Optional(Type.Object({ ...span, chunks: count() }))

/** Times are missing until the first one happened. */
const nodeHealth = Type.Object({
  ...node,
  activeAgents: count(),
  /** What its listener counted; missing when it has none, or is of an earlier build. */
  listener: shownFigures(),
  worker: Type.Optional(
    Type.Object({
      lastKeepAliveMs: Type.Optional(timeMs()),
      /** The master's clock minus the worker's. */
      clockSkewMs: Type.Optional(Type.Number()),
      integrityCheck: Type.Optional(spanView),
      integritySync: Type.Optional(Type.Object({ ...span, shared: count(), missing: count(), extra: count() })),
      agentInfo: chunked,
      agentGroups: chunked,
      agentGroupsFull: chunked,
      /** Which of the master's keys it came in with; older masters do not say. */
      key: Type.Optional(Type.Union([Type.Literal('current'), Type.Literal('previous')])),
      /** Whichever ends first of the certificates under its connection; missing without TLS between nodes. */
      certificateEndsMs: Type.Optional(timeMs()),
      /** No plan is being carried out. */
      integrityFree: Type.Boolean(),
      /** No agent-info is being taken in; missing means free. */
      agentInfoFree: Type.Optional(Type.Boolean()),
      /** The state of its integrity thread (see domain/files/integrityState); an earlier build's answer does not have it. */
      integrity: Type.Optional(Type.String()),
      /** Whether content came compressed the last time; missing until there was any. */
      compressed: Type.Optional(Type.Boolean()),
      /** How it writes to its disk (see domain/files/content/syncPace); missing until it is known. */
      diskWrites: Type.Optional(Type.String()),
      /** Reports about agents that do not exist, dropped since it connected; an earlier build's answer does not have it. */
      unknownAgentReports: Type.Optional(count()),
    }),
  ),
})

const filesSummary = Type.Object({
  node: Type.String(),
  inSync: Type.Boolean(),
  files: count(),
  pending: count(),
  failed: count(),
  /** Failures beyond limits.reportedFailuresMax, which the worker did not name. */
  failuresLeftOut: count(),
  /** Why the files are not compared, and will not be before somebody does something about it. */
  code: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
  /** What the worker's wazuh-analysisd said to the last reload of its rules; missing before any, and without a real manager. */
  ruleset: Type.Optional(Type.Object({ atMs: timeMs(), isLoaded: Type.Boolean(), messages: Type.Array(Type.String()) })),
})

const fileRow = Type.Object({
  node: Type.String(),
  file: Type.String(),
  state: Type.Union([Type.Literal('synced'), Type.Literal('pending'), Type.Literal('failed')]),
  code: Type.Optional(Type.String()),
  error: Type.Optional(Type.String()),
})

/** What the page shows of a node: a row. */
const nodeOverview = Type.Object({
  ...node,
  isConnected: Type.Boolean(),
  /** What an operator said of it (domain/cluster/nodeState). */
  state: nodeState(),
  /** When it joined, left or started. */
  sinceMs: timeMs(),
  /** Why it left. */
  error: Type.Optional(Type.String()),
  lastKeepAliveMs: Type.Optional(timeMs()),
  clockSkewMs: Type.Optional(Type.Number()),
  roundTripMs: Type.Optional(Type.Number()),
  inSync: Type.Boolean(),
  files: count(),
  pending: count(),
  failed: count(),
  activeAgents: count(),
  /** By status; statuses that no agent has are left out. */
  agents: Type.Record(Type.String(), count()),
  bytesSent: count(),
  bytesReceived: count(),
  /** Of its certificate. */
  certificateEndsMs: Type.Optional(timeMs()),
})

/** Something that happened in the cluster; ids rise by one. */
const clusterEvent = Type.Object({
  id: count(),
  atMs: timeMs(),
  level: Type.Enum(['info', 'warning', 'error']),
  /** Which node it is about. */
  node: Type.Optional(Type.String()),
  message: Type.String(),
})

const finding = Type.Object({ check: Type.String(), severity: Type.Enum([...severities]), says: Type.String() })

/** What a node found of itself, a master also of its workers. */
const checked = Type.Object({
  node: Type.String(),
  findings: Type.Array(finding),
  counts: Type.Record(Type.String(), Type.Number()),
})

/** One for each kind; the first is the most frequent. */
export const clusterAnswers = [
  line('file', { row: fileRow }),
  line('filesOf', { summary: filesSummary }),
  line('cluster', { name: Type.String(), unknownNodes: Type.Array(Type.String()) }),
  line('node', { node: nodeView }),
  line('health', { node: nodeHealth }),
  line('overview', { node: nodeOverview }),
  line('event', { event: clusterEvent }),
  /** A node that is not connected, and that an operator drained or removed. */
  line('absent', { node: Type.String(), state: nodeState() }),
  /**
   * An operator spoke of a node. `reach`: whether the node has learnt it, or its build lacks what is needed. `othersReady`: connected nodes
   * that its agents can go to.
   */
  line('nodeState', {
    node: Type.String(),
    state: nodeState(),
    isChanged: Type.Boolean(),
    reach: Type.Enum(['reached', 'notConnected', 'notAble']),
    othersReady: count(),
  }),
  line('checked', { checked }),
  /** Neither a report nor a failure: the node is of a build that cannot be asked. */
  line('nodeReport', {
    node: Type.String(),
    report: Type.Optional(nodeReport()),
    failure: Type.Optional(Type.Object({ number: count(), message: Type.String() })),
  }),
  line('error', { code: Type.String(), number: count(), message: Type.String() }),
  line('end', {}),
] as const

export type NodeView = ReadonlyValue<Static<typeof nodeView>>
export type SpanView = ReadonlyValue<Static<typeof spanView>>
export type NodeHealth = ReadonlyValue<Static<typeof nodeHealth>>
export type FilesSummary = ReadonlyValue<Static<typeof filesSummary>>
export type FileRow = ReadonlyValue<Static<typeof fileRow>>
export type NodeOverview = ReadonlyValue<Static<typeof nodeOverview>>
export type CheckedNode = ReadonlyValue<Static<typeof checked>>
export type ClusterEvent = ReadonlyValue<Static<typeof clusterEvent>>
