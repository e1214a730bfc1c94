/** The public API of `muster`: a node to embed, and a simulated cluster to run. */
export type { AgentOperations } from './actors/agents/agentOperations.js'
export type { RefusedFactOfAgent, ReportCounts, ReportOutcome } from './actors/agents/agentReports.js'
export type { AgentRequest } from './actors/agents/localKeys.js'
export type { Reconnected, ReconnectRequest } from './actors/agents/reconnectRequest.js'
export type { ManagerRequests } from './actors/manager/managerRequests.js'
export type { NodePorts } from './actors/nodeContext.js'
export type { NodeEvent } from './actors/nodeEvent.js'
export { ClusterError, type ErrorCode, errorTable, type Result } from './base/errors.js'
export type { ReadonlyValue } from './base/fields.js'
export type { EnrolmentServiceSettings, ListenerServiceSettings } from './config/agentServiceOptions.js'
export type { ApiServiceSettings } from './config/apiOptions.js'
export type { BalancerAccess, BalancerOptions, DataPlaneAccess, RuntimeSocket, RuntimeSocketAccess } from './config/balancerOptions.js'
export type { TlsSettings } from './config/settings.js'
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
  ManagerFactName,
  Presence,
  PresenceStatus,
} from './domain/agents/agent.js'
export type { AgentCommand } from './domain/agents/agentCommand.js'
export type { AgentQuery, AgentTool } from './domain/agents/agentQuery.js'
export type { AgentReport } from './domain/agents/agentReport.js'
export type { EnrolmentAnswer, EnrolmentRequest } from './domain/agents/enrolmentRequest.js'
export type { ExactGroups, GroupsChange, GroupsPage, GroupsRow, GroupsState } from './domain/agents/groups.js'
export type { KeyEntry, KeysAnswer, KeysChange, KeysPage } from './domain/agents/keyEntry.js'
export type { Manager } from './domain/agents/leftToManager.js'
export type { RefusedFact } from './domain/agents/packedFacts.js'
export { defaultEnrolmentRules, type EnrolmentRules, type ForceRules, type Registration } from './domain/agents/replacement.js'
export type { BalancingOptions } from './domain/balancer/balancingOptions.js'
export type { ShownCertificate } from './domain/cluster/nodeCertificate.js'
export type {
  CertificateFigures,
  DurationFigures,
  NodeFigures,
  ProcessFigures,
  TrafficFigures,
  TrafficKind,
  WorkerFigures,
} from './domain/cluster/nodeFigures.js'
export type { NodeReport } from './domain/cluster/nodeReport.js'
export type { NodeCommand, NodeState, StatesByNode } from './domain/cluster/nodeState.js'
export { defaultTimings, type Timings } from './domain/cluster/timings.js'
export type { Compression } from './domain/files/content/compressionChoice.js'
export type { ByteRange, ContentRecipe } from './domain/files/content/contentRecipe.js'
export type { DiskWrites } from './domain/files/content/syncPace.js'
export type { HashName } from './domain/files/hashNames.js'
export { defaultSyncedItems, type SyncedItem, type SyncedItems } from './domain/files/syncedItems.js'
export type {
  AppliedPlan,
  ContentRequest,
  Digest,
  FileEntry,
  FileFailure,
  KeysNonsense,
  PatchRanges,
  PatchStart,
  ScanPage,
  StageOutcome,
  WriteStep,
  WrittenFile,
} from './domain/files/treeValues.js'
export type { ListeningPlace } from './domain/listener/listeningPlace.js'
export type {
  ConnectionStatus,
  WazuhAgent,
  WazuhGroupsRow,
  WazuhKeepAlive,
  WazuhLabel,
  WazuhPresence,
  WazuhStates,
  WazuhStatus,
} from './domain/manager/wazuhAgent.js'
export type { AgentAnswer, AgentRow, GroupFileView, GroupView } from './domain/queries/agentAnswer.js'
export type { AnswerLine } from './domain/queries/answerLine.js'
export type {
  CheckedNode,
  ClusterEvent,
  FileRow,
  FilesSummary,
  NodeHealth,
  NodeOverview,
  NodeView,
  SpanView,
} from './domain/queries/clusterAnswer.js'
export type { ClusterQuery } from './domain/queries/clusterQuery.js'
export type { ControlCommand } from './domain/queries/controlRequest.js'
export type { ServiceOptions } from './nodeServices.js'
export type {
  AgentFiles,
  AgentGroupsStore,
  AgentKeysStore,
  AgentListsStore,
  AgentReportsStore,
  AgentStore,
  GroupFile,
  MergedOutcome,
  MergeOutcome,
  NotedRegistration,
  OpenedStore,
  RecordOutcome,
  UnsentUpdates,
} from './ports/agents.js'
export type { ApiDesk, ApiHost, ApiOptions, RunningApi } from './ports/api.js'
export type { Balancer, BalancerOpening, BalancerServer, ServerChange } from './ports/balancer.js'
export type { CertificatesInUse, CertificatesRefresh, OwnCertificates } from './ports/certificates.js'
export type {
  EnrolmentCounts,
  EnrolmentDesk,
  EnrolmentHost,
  EnrolmentOptions,
  EnrolmentSettings,
  RunningEnrolment,
} from './ports/enrolment.js'
export type { Files, TreeWatch } from './ports/files.js'
export type {
  AdmissionPolicy,
  Handlers,
  IncomingStream,
  Link,
  LinkCounters,
  NoticeHandlers,
  OutgoingStream,
  Peer,
  PeerCertificate,
  Refusal,
  RequestOptions,
  ServeOptions,
  SortedBytes,
  Transport,
} from './ports/link.js'
export type {
  AgentConfiguration,
  AgentTransport,
  EventOptions,
  KeysUpdate,
  ListenerCalls,
  ListenerCounts,
  ListenerDesk,
  ListenerHost,
  ListenerOptions,
  RunningListener,
} from './ports/listener.js'
export type { Clock, Log, LogLevel, ProcessMeter, Random } from './ports/machine.js'
export type {
  ApiBridge,
  AskedDaemon,
  CarriedAnswer,
  ManagerDaemons,
  ManagerPorts,
  RulesetReload,
  TakenJournal,
  TakenStates,
  WazuhDb,
  WazuhGroupsPage,
} from './ports/manager.js'
export type { Endpoint, Listener, Network } from './ports/network.js'
export type { LoadedStates, NodeStatesStore } from './ports/nodeStatesStore.js'
export type { OwnMachine } from './ports/ownMachine.js'
export type { Remoted } from './ports/remoted.js'
export { type Progress, type SimulateOptions, type SimulationReport, simulate } from './simulation/simulate.js'
export type { Hello, NoticeBody, NoticeName, ReplyBody, RequestBody, RequestName, Welcome } from './wire/muster/messages.js'
