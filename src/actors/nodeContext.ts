/** What all services of a node share. */
import type { AnyActorLogic } from 'xstate'
import type { Manager } from '../domain/agents/leftToManager.js'
import type { EnrolmentRules } from '../domain/agents/replacement.js'
import type { BalancingOptions } from '../domain/balancer/balancingOptions.js'
import type { NodeFigures } from '../domain/cluster/nodeFigures.js'
import type { Timings } from '../domain/cluster/timings.js'
import type { Compression } from '../domain/files/content/compressionChoice.js'
import type { SyncedItems } from '../domain/files/syncedItems.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import type { ClusterQuery } from '../domain/queries/clusterQuery.js'
import type { ControlCommand } from '../domain/queries/controlRequest.js'
import type { AgentFiles, AgentStore } from '../ports/agents.js'
import type { ApiHost, ApiOptions, RunningApi } from '../ports/api.js'
import type { Balancer } from '../ports/balancer.js'
import type { OwnCertificates } from '../ports/certificates.js'
import type { EnrolmentHost, EnrolmentSettings, RunningEnrolment } from '../ports/enrolment.js'
import type { Files } from '../ports/files.js'
import type { Link, Transport } from '../ports/link.js'
import type { ListenerHost, ListenerOptions } from '../ports/listener.js'
import type { Clock, Log, ProcessMeter, Random } from '../ports/machine.js'
import type { ManagerPorts } from '../ports/manager.js'
import type { Endpoint } from '../ports/network.js'
import type { NodeStatesStore } from '../ports/nodeStatesStore.js'
import type { OwnMachine } from '../ports/ownMachine.js'
import type { Remoted } from '../ports/remoted.js'
import type { AgentOperations } from './agents/agentOperations.js'
import type { PublishedGroups } from './agents/localAgentGroups.js'
import type { LocalAgents } from './agents/nodeAgents.js'
import { placesCapability } from './cluster/keepAlive.js'
import type { NodeMeter } from './cluster/nodeMeter.js'
import { type NodeStates, statesCapability } from './cluster/nodeStates.js'
import type { Registry } from './cluster/registry.js'
import { appliedCapability, changesCapability, contentsCapability } from './files/announcedChange.js'
import { figuresCapability } from './files/integritySync.js'
import { itemsCapability } from './files/itemsRefusal.js'
import type { LocalTree } from './files/localTree.js'
import { partsCapability } from './files/treeComparison.js'
import type { Boundaries } from './kit/boundaries.js'
import type { Front } from './kit/front.js'
import type { ListenerRun } from './listener/thread/listenerThread.js'
import { carryCapability } from './manager/carriedRequest.js'
import type { ManagerRequests } from './manager/managerRequests.js'
import { type RulesetChanges, rulesetCapability } from './manager/rulesetReload.js'
import type { StateGiver } from './manager/stateGiver.js'
import type { WatchedWazuhDb } from './manager/watchedWazuhDb.js'
import type { NodeEvent } from './nodeEvent.js'
import { reportsCapability, wholeReportsCapability } from './queries/nodeReports.js'

export interface NodePorts {
  readonly clock: Clock
  readonly random: Random
  readonly transport: Transport
  readonly files: Files
  readonly agentStore: AgentStore
  readonly agentFiles: AgentFiles
  readonly nodeStates: NodeStatesStore
  readonly log: Log
  /** Where the node's options have a listener, and an enrolment service. */
  readonly listener?: ListenerHost
  readonly enrolment?: EnrolmentHost
  /** Where the node's options have an HTTP service, and on a master a load balancer. */
  readonly api?: ApiHost
  readonly balancer?: Balancer
  /** Where a real manager has the agents: its program that can ask them to reconnect. */
  readonly remoted?: Remoted
  /** Where a real manager has the agents: its database, its daemons, its framework. */
  readonly wazuh?: ManagerPorts
  /** What the node says of its machine and its configuration files when it is asked. */
  readonly machine?: OwnMachine
  /** Left out where processes are simulated. */
  readonly process?: ProcessMeter
  /** Where nodes show certificates to each other. */
  readonly certificates?: OwnCertificates
}

export interface NodeIdentity {
  readonly cluster: string
  readonly node: string
  readonly type: 'master' | 'worker'
  /** Muster's. */
  readonly version: string
  /** Of Wazuh, as the agents and Wazuh's tools get it. */
  readonly wazuhVersion: string
  /** Where the master listens, or where a worker finds it. */
  readonly master: Endpoint
  /** The name of the machine: no agent may have it, and it is the agent 000 of a list. */
  readonly managerName: string
  /** Of this node, as the others see it in `cluster_control -l`. */
  readonly address: string
  readonly synced: SyncedItems
  readonly timings: Timings
  readonly compression: Compression
  /** The manager's directory, for sentences. */
  readonly home: string
  readonly manager: Manager
  /** Of a master: which agents are replaced by those that enrol. */
  readonly enrolmentRules: EnrolmentRules
  /** Events and alerts do not say which cluster they came through; no when left out. */
  readonly hidden?: boolean
  /** Of a master: how many may be connected at the same time. */
  readonly workersMax: number
  /** The services that agents connect to; undefined: this node does without. */
  readonly listener?: ListenerOptions
  readonly enrolment?: EnrolmentSettings
  /** Of a master with a load balancer. */
  readonly balancing?: BalancingOptions
  /** API, health, metrics and page. */
  readonly api?: ApiOptions
}

/** What a node is made of, whatever its role. */
export interface NodeParts {
  readonly identity: NodeIdentity
  readonly ports: NodePorts
  readonly tree: LocalTree
  readonly agents: LocalAgents
  /** On a master, what its workers get of groups. */
  readonly groups: PublishedGroups
  /** On a worker with a real manager, when its rules are to be loaded again. */
  readonly ruleset: RulesetChanges
  readonly fronts: NodeFronts
  readonly states: NodeStates
  /** Where a real manager has the agents: its database, asked by all threads through one watch. */
  readonly wazuhDb: WatchedWazuhDb | undefined
  /** On a master with a real manager. */
  readonly stateGiver: StateGiver | undefined
  /** When the node began, by its clock. */
  readonly startedMs: number
  readonly meter: NodeMeter
  /** Tagged with the role. */
  readonly log: Log
  emit(event: NodeEvent): void
}

/** The services in threads of their own, while they run. */
export interface NodeFronts {
  readonly listener: Front<ListenerRun>
  readonly enrolment: Front<RunningEnrolment>
  readonly api: Front<RunningApi>
}

export type RoleFigures = Pick<NodeFigures, 'isListening' | 'master' | 'usesPreviousKey' | 'workers'>

/** What is different on a master and on a worker. */
export interface NodeRole {
  /** Its side of the cluster; ends only when the node has failed. */
  readonly logic: AnyActorLogic
  readonly operations: AgentOperations
  /** What the programs of a manager have it do. */
  readonly managerRequests: ManagerRequests
  /** On a master. */
  readonly registry: Registry | undefined
  /** On a worker, while it is connected. */
  readonly masterLink: Link | undefined
  /** Of its side of the cluster. */
  figures(): RoleFigures
  answer(request: ClusterQuery | ControlCommand, signal: AbortSignal): AsyncIterable<AnswerLine>
  /** Resolves when nothing of it is open any more, after its logic was stopped. */
  closed(): Promise<void>
}

export interface NodeContext extends NodeParts {
  readonly role: NodeRole
  readonly boundaries: Boundaries
}

/** Of any node of this build. */
const ownCapabilities: readonly string[] = [
  'deflate-raw',
  'delta',
  itemsCapability,
  changesCapability,
  contentsCapability,
  appliedCapability,
  partsCapability,
  statesCapability,
  figuresCapability,
  reportsCapability,
  wholeReportsCapability,
  placesCapability,
  rulesetCapability,
]

/** What this node can do beyond the protocol's version, as both sides say it. */
export const capabilitiesOf = ({ wazuh }: Pick<NodePorts, 'wazuh'>): readonly string[] =>
  wazuh ? [...ownCapabilities, carryCapability] : ownCapabilities
