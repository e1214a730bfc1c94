/** The public API of `muster`: a node to embed, and a simulated cluster to run. */
export type { AgentOperations } from './actors/agentOperations.js'
export type { RefusedFactOfAgent, ReportCounts, ReportOutcome } from './actors/agentReports.js'
export type { AgentRequest } from './actors/localAgents.js'
export type { NodePorts } from './actors/node.js'
export type { NodeEvent } from './actors/nodeEvent.js'
export { type ClusterNode, createNode, defaultPort, type NodeOptions } from './createNode.js'
export type {
  AgentCounts,
  AgentDetails,
  AgentFactName,
  AgentFacts,
  AgentFilter,
  AgentListShape,
  AgentStatus,
  AgentView,
  Disconnection,
  Presence,
  PresenceStatus,
} from './domain/agent.js'
export type { AgentAnswer, AgentRow, GroupFileView, GroupView } from './domain/agentAnswer.js'
export type { GroupsChange, GroupsPage, GroupsRow, GroupsState } from './domain/agentGroups.js'
export type { KeyEntry, KeysAnswer, KeysChange, KeysPage } from './domain/agentKeys.js'
export type { AgentQuery, AgentReport, AgentTool } from './domain/agentQuery.js'
export type { KeysNonsense } from './domain/clientKeys.js'
export type { AnswerLine, ClusterQuery, FileRow, FilesSummary, NodeHealth, NodeView, SpanView } from './domain/clusterView.js'
export type { Compression } from './domain/compressionChoice.js'
export type { ByteRange, ContentRecipe } from './domain/contentRecipe.js'
export type { Manager } from './domain/leftToManager.js'
export type { RefusedFact } from './domain/packedFacts.js'
export { defaultSyncedItems, type SyncedItem, type SyncedItems } from './domain/syncedItems.js'
export { defaultTimings, type Timings } from './domain/timings.js'
export type {
  AppliedPlan,
  ContentRequest,
  Digest,
  FileEntry,
  FileFailure,
  PatchRanges,
  PatchStart,
  ScanPage,
  StageOutcome,
  WriteStep,
} from './domain/tree.js'
export { ClusterError, type ErrorCode, errorTable, type Result } from './errors.js'
export type {
  AgentFiles,
  AgentStore,
  Clock,
  Doorkeeper,
  Endpoint,
  Files,
  GroupFile,
  Handlers,
  IncomingStream,
  Link,
  LinkCounters,
  Listener,
  Log,
  MergedOutcome,
  MergeOutcome,
  Network,
  NoticeHandlers,
  OpenedStore,
  OutgoingStream,
  Peer,
  Random,
  RecordOutcome,
  Refusal,
  RequestOptions,
  ServeOptions,
  Transport,
  UnsentNews,
} from './ports.js'
export type { Hello, NoticeBody, NoticeName, ReplyBody, RequestBody, RequestName, Welcome } from './protocol/messages.js'
export { type Progress, type SimulateOptions, type SimulationReport, simulate } from './simulation/simulate.js'
