/**
 * A whole node: its local integrity thread and its role, master or worker, each in a failure boundary of its own. When one
 * of them cannot be kept up, the node has failed.
 */
import { customRandom, urlAlphabet } from 'nanoid'
import type { AnyActorLogic } from 'xstate'
import { ClusterError, errorTable } from '../base/errors.js'
import { agentIdText } from '../domain/agents/agent.js'
import type { AgentCommand } from '../domain/agents/agentCommand.js'
import { keysPath } from '../domain/agents/keyEntry.js'
import { type Manager, saysWhatIsLeft } from '../domain/agents/leftToManager.js'
import type { Timings } from '../domain/cluster/timings.js'
import type { Compression } from '../domain/files/compressionChoice.js'
import type { SyncedItems } from '../domain/files/syncedItems.js'
import { itemOf } from '../domain/files/syncedItems.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import type { ClusterQuery } from '../domain/queries/clusterQuery.js'
import { isForwarded, notOnWorker } from '../domain/queries/forwardedRequest.js'
import type { AgentFiles, AgentStore } from '../ports/agents.js'
import type { Files } from '../ports/files.js'
import type { Link, Transport } from '../ports/link.js'
import type { Clock, Log, Random } from '../ports/machine.js'
import type { Endpoint, Listener } from '../ports/network.js'
import { type AgentOperations, workerOperations } from './agents/agentOperations.js'
import { ClusterClock } from './agents/clusterClock.js'
import { PublishedGroups } from './agents/localAgentGroups.js'
import { LocalAgents } from './agents/nodeAgents.js'
import type { Registry } from './cluster/registry.js'
import { changesCapability } from './files/announcedChange.js'
import { IntegritySync } from './files/integritySync.js'
import { itemsCapability } from './files/itemsRefusal.js'
import { LocalTree } from './files/localTree.js'
import { partsCapability } from './files/treeComparison.js'
import { type ChildEvent, type Hosted, startHosted } from './kit/host.js'
import { supervised } from './kit/supervised.js'
import { master, masterRegistry, masterView } from './master.js'
import { appliedEvent, type NodeEvent } from './nodeEvent.js'
import { nodeThreads } from './nodeThreads.js'
import { forwardedAnswer, masterAnswer } from './queries/clusterQueries.js'
import { worker } from './worker.js'

export interface NodePorts {
  readonly clock: Clock
  readonly random: Random
  readonly transport: Transport
  readonly files: Files
  readonly agentStore: AgentStore
  readonly agentFiles: AgentFiles
  readonly log: Log
}

export interface NodeIdentity {
  readonly cluster: string
  readonly node: string
  readonly type: 'master' | 'worker'
  /** Muster's. */
  readonly version: string
  /** Of Wazuh, as the agents and Wazuh's tools are told. */
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
  /** Of a master: how many may be connected at the same time. */
  readonly workersMax: number
}

export interface RunningNode {
  readonly identity: NodeIdentity
  readonly tree: LocalTree
  readonly agents: LocalAgents
  /** What listeners and operators do with agents. */
  readonly agentOperations: AgentOperations
  /** On a master. */
  readonly registry: Registry | undefined
  /** On a worker, while it is connected. */
  readonly masterLink: Link | undefined
  /** Timers that its actors have running. */
  readonly timers: number
  /** Answers the programs. Fails with `notConnected` on a worker that has no master, with `notOnWorker` there for agent_control. */
  query(query: ClusterQuery, signal: AbortSignal): AsyncIterable<AnswerLine>
  /** Does what a program says, by the rules of that program. Fails as `query` does. */
  carryOut(command: AgentCommand, signal: AbortSignal): AsyncIterable<AnswerLine>
  /** Stops the threads, says goodbye to the peers, closes the files. */
  stop(): Promise<void>
}

const capabilities = ['deflate-raw', 'delta', itemsCapability, changesCapability, partsCapability] as const

export const startNode = (identity: NodeIdentity, ports: NodePorts, onEvent: (event: NodeEvent) => void): RunningNode => {
  const { clock, files, log, random } = ports
  const { node, timings, type } = identity
  const agents = new LocalAgents({
    node,
    role: type,
    store: ports.agentStore,
    files: ports.agentFiles,
    clock: new ClusterClock(clock, type),
    timers: clock,
    disconnectionMs: timings.agentsDisconnectionMs,
    manager: identity.manager,
  })
  const isKeysMaster = type === 'master' && itemOf(identity.synced, keysPath) !== undefined
  const lasting = isKeysMaster ? { path: keysPath, isLasting: () => agents.keys.hadAgents !== false } : undefined
  const tree = new LocalTree(files, identity.synced, clock, lasting)
  agents.keys.written.add(() => tree.hint([keysPath]))
  agents.keys.changes.add(() => void tree.judgeLastingFile())
  const groups = new PublishedGroups()
  let masterLink: Link | undefined
  /** Why the last dial failed, or the last connection ended. */
  let disconnection: ClusterError | undefined
  let stopped = false
  let listener: Listener | undefined

  const fail = (event: ChildEvent): void => {
    if (stopped) return
    onEvent({ type: 'failed', error: event.error ?? new ClusterError('threadCrashed') })
  }
  const boundaries: Hosted[] = []
  const start = (logic: AnyActorLogic, input?: unknown): void => {
    boundaries.push(startHosted(logic, { clock, input, onEnd: fail }))
  }

  const masterOptions = {
    ...identity,
    ...ports,
    tree,
    agents,
    groups,
    capabilities,
    bind: identity.master,
    onListening: (open: Listener) => {
      listener = open
      onEvent({ type: 'listening', address: open.address, port: open.port })
    },
  }
  const registry = identity.type === 'master' ? masterRegistry(masterOptions) : undefined
  registry?.joined.add(({ name }) => onEvent({ type: 'workerJoined', node: name }))
  registry?.left.add(({ member, error }) => onEvent({ type: 'workerLeft', node: member.name, error }))
  const role = registry
    ? master(masterOptions, registry)
    : worker({
        ...ports,
        hello: {
          cluster: identity.cluster,
          node: identity.node,
          type: 'worker',
          instance: customRandom(urlAlphabet, 21, (count) => random.bytes(count))(),
          version: identity.version,
          wazuh: identity.wazuhVersion,
          capabilities: [...capabilities],
        },
        master: identity.master,
        timings,
        agents,
        integrity: {
          tree,
          sync: new IntegritySync({ tree, clock, requestTimeoutMs: timings.requestTimeoutMs, compression: identity.compression }),
          onApplied: (outcome) => onEvent(appliedEvent(outcome)),
        },
        onConnected: (link) => {
          masterLink = link
          onEvent({ type: 'connected', master: link.peer.node })
        },
        onDisconnected: (error) => {
          masterLink = undefined
          disconnection = error
          onEvent({ type: 'disconnected', error })
        },
        onDialFailed: ({ error, attempts, isLogged }) => {
          disconnection = error
          if (isLogged) onEvent({ type: 'dialFailed', error, attempts })
        },
      })
  const roleLog = log.at({ tag: type === 'master' ? 'Master' : 'Worker', subtag: 'Main' })
  if (identity.manager === 'wazuh') roleLog.info(saysWhatIsLeft(type, identity.home))
  const agentsLog = roleLog.at({ subtag: 'Local agents' })
  agents.reports.factRefused.add(({ fact, id, why }) => agentsLog.warning(`'${fact}' of agent ${agentIdText(id)} is ignored: it ${why}.`))
  for (const { logic, name } of nodeThreads({ role: type, manager: identity.manager, tree, agents, groups, timings, clock, log: roleLog }))
    start(supervised(logic, { name, clock }), { input: undefined, log: roleLog })
  start(role)

  const connectedMaster = (): Link => masterLink ?? notConnected(disconnection)
  const view = registry && masterView({ ...identity, agents, clock, tree }, registry, agentsLog)
  const answer = async function* (request: ClusterQuery | AgentCommand, signal: AbortSignal): AsyncGenerator<AnswerLine> {
    if (view) yield* masterAnswer(view, request, signal)
    else if (!isForwarded(request)) throw notOnWorker(identity.master.host)
    else yield* forwardedAnswer(connectedMaster(), request, signal, timings.requestTimeoutMs)
  }

  return {
    identity,
    tree,
    agents,
    agentOperations: view?.operations ?? workerOperations({ agents, master: connectedMaster, requestMsMax: timings.requestTimeoutMs }),
    registry,
    get masterLink() {
      return masterLink
    },
    get timers() {
      return boundaries.reduce((sum, boundary) => sum + boundary.timers, 0)
    },
    query: answer,
    carryOut: answer,
    stop: async () => {
      stopped = true
      for (const boundary of boundaries.splice(0)) boundary.stop()
      await listener?.close()
      await Promise.all([files.close(), agents.close()])
    },
  }
}

const notConnected = (reason: ClusterError | undefined): never => {
  throw new ClusterError('notConnected', reason && { message: `${errorTable.notConnected.says}: ${reason.message}` })
}
