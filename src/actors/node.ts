/**
 * A whole node: its services by its role (services.ts), each in a failure boundary of its own. When one of them cannot be kept up, the
 * node has failed.
 */
import { agentIdText } from '../domain/agents/agent.js'
import { keysPath } from '../domain/agents/keyEntry.js'
import { saysWhatIsLeft, servicesLeftToManager } from '../domain/agents/leftToManager.js'
import type { NodeFigures } from '../domain/cluster/nodeFigures.js'
import { ownStateText } from '../domain/cluster/nodeState.js'
import { itemOf } from '../domain/files/syncedItems.js'
import type { AnswerLine } from '../domain/queries/answerLine.js'
import type { ClusterQuery } from '../domain/queries/clusterQuery.js'
import type { ControlCommand } from '../domain/queries/controlRequest.js'
import type { Link } from '../ports/link.js'
import type { AgentOperations } from './agents/agentOperations.js'
import { ClusterClock } from './agents/clusterClock.js'
import { PublishedGroups } from './agents/localAgentGroups.js'
import { LocalAgents } from './agents/nodeAgents.js'
import { leaveBalancer } from './balancerService.js'
import { NodeMeter } from './cluster/nodeMeter.js'
import { NodeStates } from './cluster/nodeStates.js'
import type { Registry } from './cluster/registry.js'
import { LocalTree } from './files/localTree.js'
import { Boundaries } from './kit/boundaries.js'
import { Front } from './kit/front.js'
import { notedLog } from './kit/notedLog.js'
import { drainAgents } from './listener/thread/listenerThread.js'
import { activeAgents } from './manager/activeAgents.js'
import type { ManagerRequests } from './manager/managerRequests.js'
import { RulesetChanges } from './manager/rulesetReload.js'
import { StateGiver } from './manager/stateGiver.js'
import { WatchedWazuhDb } from './manager/watchedWazuhDb.js'
import { MasterRole } from './masterRole.js'
import type { NodeFronts, NodeIdentity, NodeParts, NodePorts, NodeRole } from './nodeContext.js'
import type { NodeEvent } from './nodeEvent.js'
import { ownFigures } from './ownFigures.js'
import { services } from './services.js'
import { WorkerRole } from './workerRole.js'

export interface RunningNode {
  readonly identity: NodeIdentity
  readonly tree: LocalTree
  readonly agents: LocalAgents
  /** What listeners and operators do with agents. */
  readonly agentOperations: AgentOperations
  /** What operators said of nodes. */
  readonly states: NodeStates
  /** On a master. */
  readonly registry: Registry | undefined
  /** On a worker, while it is connected. */
  readonly masterLink: Link | undefined
  /** Timers that its actors have running. */
  readonly timers: number
  /** What it counts of itself, at most a second old. */
  figures(): Promise<NodeFigures>
  /** Answers the programs. Fails with `notConnected` on a worker that has no master, with `notOnWorker` there for agent_control. */
  query(query: ClusterQuery, signal: AbortSignal): AsyncIterable<AnswerLine>
  /** Does what a program says, by the rules of that program. Fails as `query` does. */
  carryOut(command: ControlCommand, signal: AbortSignal): AsyncIterable<AnswerLine>
  /** What the programs of a Wazuh manager have it do, here or on another node. */
  readonly managerRequests: ManagerRequests
  /** See the port Files. */
  rulesetDigests(signal: AbortSignal): Promise<Readonly<Record<string, string>>>
  /** Stops the threads, says goodbye to the peers, closes the files. */
  stop(): Promise<void>
}

/** What a role is called in the log, whether client.keys is decided there, and what is different there. */
const roles = {
  master: { tag: 'Master', decidesKeys: true, roleOf: (parts: NodeParts): NodeRole => new MasterRole(parts) },
  worker: { tag: 'Worker', decidesKeys: false, roleOf: (parts: NodeParts): NodeRole => new WorkerRole(parts) },
} as const

export const startNode = (identity: NodeIdentity, given: NodePorts, onEvent: (event: NodeEvent) => void): RunningNode => {
  const { clock } = given
  const startedMs = clock.now()
  const meter = new NodeMeter()
  const ports = { ...given, log: notedLog(given.log, meter, clock) }
  const { manager, node, synced, timings, type } = identity
  const { decidesKeys, roleOf, tag } = roles[type]
  const log = ports.log.at({ tag, subtag: 'Main' })
  const wazuhDb = ports.wazuh && new WatchedWazuhDb({ db: ports.wazuh.db, clock, log: log.at({ subtag: 'wazuh-db' }) })

  const agents = new LocalAgents({
    node,
    role: type,
    store: ports.agentStore,
    files: ports.agentFiles,
    clock: new ClusterClock(clock, type),
    timers: clock,
    disconnectionMs: timings.agentsDisconnectionMs,
    manager,
    enrolmentRules: identity.enrolmentRules,
    activeAgents: wazuhDb && type === 'master' ? activeAgents(wazuhDb, clock) : undefined,
  })
  const stateGiver =
    wazuhDb && type === 'master' ? new StateGiver({ agents, db: wazuhDb, clock, node, log: log.at({ subtag: 'Agent states' }) }) : undefined
  const isLastingHere = decidesKeys && itemOf(synced, keysPath) !== undefined
  const lasting = isLastingHere ? { path: keysPath, isLasting: () => agents.keys.hadAgents !== false } : undefined
  const tree = new LocalTree(ports.files, synced, clock, lasting)
  meter.follow(tree, () => clock.now())
  agents.keys.written.add((file) => void tree.wrote(file))
  agents.keys.changes.add(() => void tree.judgeLastingFile())
  const agentsLog = log.at({ subtag: 'Local agents' })
  agents.reports.factRefused.add(({ fact, id, why }) => agentsLog.warning(`'${fact}' of agent ${agentIdText(id)} is ignored: it ${why}.`))

  const fronts: NodeFronts = { listener: new Front(), enrolment: new Front(), api: new Front() }
  const states = new NodeStates({ node, store: ports.nodeStates, log })
  states.changed.add((changed) => {
    if (changed.node === node) log.info(ownStateText(changed.state, manager))
  })
  const groups = new PublishedGroups()
  const ruleset = new RulesetChanges()
  const shared = { agents, fronts, groups, identity, log, meter, ports, ruleset, startedMs, stateGiver, states, tree, wazuhDb }
  const parts: NodeParts = { ...shared, emit: onEvent }
  const role = roleOf(parts)
  const boundaries = new Boundaries(clock)
  boundaries.failed.add((error) => onEvent({ type: 'failed', error }))
  if (manager === 'wazuh') log.info(saysWhatIsLeft(type, identity.home))
  if (manager === 'wazuh' && (identity.enrolment || identity.listener)) log.info(servicesLeftToManager)
  for (const service of services) if (service.roles.includes(type)) service.start({ ...parts, role, boundaries })

  return {
    identity,
    tree,
    agents,
    states,
    agentOperations: role.operations,
    registry: role.registry,
    get masterLink() {
      return role.masterLink
    },
    get timers() {
      return boundaries.timers
    },
    figures: () => ownFigures(parts, role),
    query: (query, signal) => role.answer(query, signal),
    carryOut: (command, signal) => role.answer(command, signal),
    managerRequests: role.managerRequests,
    rulesetDigests: (signal) => ports.files.rulesetDigests(signal),
    stop: async () => {
      const agentsListener = fronts.listener.running?.listener
      // Before their sockets close, while the node still works.
      if (agentsListener && timings.drainMsMax > 0) await drainAgents(agentsListener, timings.drainMsMax, log)
      boundaries.stop()
      await Promise.all([fronts.listener.ended(), fronts.enrolment.ended(), fronts.api.ended()])
      await Promise.all([role.closed(), leaveBalancer({ ...parts, role })])
      await Promise.all([ports.files.close(), agents.close(), ports.wazuh?.bridge.close()])
      ports.nodeStates.close()
    },
  }
}
