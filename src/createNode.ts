/**
 * A node in the real world, or in a world that the caller hands in port by port: what the daemon runs, and what a program
 * embeds. Nothing outside the given home is touched.
 */
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { AgentOperations } from './actors/agents/agentOperations.js'
import type { ManagerRequests } from './actors/manager/managerRequests.js'
import { type RunningNode, startNode } from './actors/node.js'
import type { NodeIdentity, NodePorts } from './actors/nodeContext.js'
import type { NodeEvent } from './actors/nodeEvent.js'
import { balancerOf } from './balancerOf.js'
import { ClusterError } from './base/errors.js'
import type { BalancerOptions } from './config/balancerOptions.js'
import { mistakesInOptions } from './config/nodeOptions.js'
import { type TlsSettings, topOptions } from './config/settings.js'
import { withAlwaysExcluded } from './config/syncedItemOptions.js'
import type { Manager } from './domain/agents/leftToManager.js'
import { defaultEnrolmentRules, type EnrolmentRules } from './domain/agents/replacement.js'
import { defaultBalancing } from './domain/balancer/balancingOptions.js'
import type { NodeFigures } from './domain/cluster/nodeFigures.js'
import { defaultTimings, type Timings } from './domain/cluster/timings.js'
import { servedWazuhVersion } from './domain/cluster/wazuhVersion.js'
import type { Compression } from './domain/files/content/compressionChoice.js'
import { defaultSyncedItems, type SyncedItems } from './domain/files/syncedItems.js'
import type { AnswerLine } from './domain/queries/answerLine.js'
import type { ClusterQuery } from './domain/queries/clusterQuery.js'
import type { ControlCommand } from './domain/queries/controlRequest.js'
import { ownMachine, realHosts, type ServiceOptions, servicesOf } from './nodeServices.js'
import { ownCertificates, transportNetworks } from './nodeTls.js'
import { createAgentFiles } from './platform/agents/agentFiles.js'
import { createRemoted } from './platform/agents/remotedSocket.js'
import { SqliteAgentStore } from './platform/agents/sqliteAgentStore.js'
import { createFiles } from './platform/files/createFiles.js'
import { descriptorLimit } from './platform/machine/descriptorLimit.js'
import { findManager, managerBeside } from './platform/machine/findManager.js'
import { isDirectory } from './platform/machine/isDirectory.js'
import { managerVersion } from './platform/machine/managerVersion.js'
import { processMeter } from './platform/machine/processMeter.js'
import { realClock } from './platform/machine/realClock.js'
import { createRealNodeStates } from './platform/machine/realNodeStates.js'
import { realRandom } from './platform/machine/realRandom.js'
import { ownerBesideManager } from './platform/machine/userNamed.js'
import { createManagerPorts } from './platform/manager/createManagerPorts.js'
import type { Log } from './ports/machine.js'
import { admissionLimits } from './transport/admission.js'
import { createTransport } from './transport/transport.js'
import { productVersion } from './version.js'

export interface NodeOptions extends ServiceOptions {
  /** The manager's directory, e.g. `/var/ossec`. */
  readonly home: string
  readonly type: 'master' | 'worker'
  /** This node's name, another one on each node. */
  readonly node: string
  /** The cluster's name, the same on each node; `wazuh` when left out. */
  readonly cluster?: string
  /** The cluster's secret: 32 letters, digits or underscores. */
  readonly key: string
  /** A second key that is accepted while the key is being changed. */
  readonly previousKey?: string
  /** The master's address: where workers dial, and what the master shows. Port 1516 when left out; 0 on a master takes a free one. */
  readonly master: { readonly host: string; readonly port?: number }
  /** Where the master listens; all IPv4 addresses when left out. */
  readonly bindAddress?: string
  /** ar.conf and ossec.conf are never among them. */
  readonly synced?: SyncedItems
  readonly timings?: Partial<Timings>
  readonly compression?: Compression
  /** Whether a real Wazuh manager runs in this home, and keeps agents, their groups and merged.mg; looked up when left out or `auto`. */
  readonly manager?: 'auto' | Manager
  /** Whether requests of Wazuh's distributed API are carried out here, beside a real manager that has its Python; `auto` when left out. */
  readonly apiBridge?: 'auto' | 'off'
  /** Which agents are replaced by those that enrol, on a master; Wazuh's defaults when left out. */
  readonly enrolmentRules?: EnrolmentRules
  /** How many workers a master lets in at the same time; 100 when left out. */
  readonly workersMax?: number
  /** Nodes show certificates to each other, under the key; without it the key alone says who is one. */
  readonly tls?: TlsSettings
  /** The load balancer that a master drives (the HAProxy helper). Without it it drives none. */
  readonly balancer?: BalancerOptions
  /** In place of the real ones, one by one. */
  readonly ports?: Partial<NodePorts>
}

export interface ClusterNode {
  /** Resolves once a master listens, or a worker has begun to dial. Fails with a ClusterError. */
  start(): Promise<{ readonly port: number | undefined }>
  /** Ends all threads, says goodbye to the peers, leaves nothing behind. */
  stop(): Promise<void>
  /** Calls back for each event until the returned function is called. */
  onEvent(listener: (event: NodeEvent) => void): () => void
  /** Reports what was seen of agents, enrols and removes them, assigns groups. Fails with `notRunning` before `start`. */
  readonly agents: AgentOperations
  /** What the node counts of itself: what its metrics are made of. At most a second old. */
  figures(): Promise<NodeFigures>
  /** What cluster_control, agent_control and agent_groups show. */
  query(query: ClusterQuery, signal?: AbortSignal): AsyncIterable<AnswerLine>
  /** Of the rules, decoders and lists of this node, by path: BLAKE2b-512, hexadecimal, as Wazuh's API compares them between nodes. */
  rulesetDigests(signal?: AbortSignal): Promise<Readonly<Record<string, string>>>
  /** What the programs do, by their rules: cluster_control and agent_groups work on any node, agent_control on a master only. */
  carryOut(command: ControlCommand, signal?: AbortSignal): AsyncIterable<AnswerLine>
  /** What the programs of a Wazuh manager have it do, here or on another node. Fails with `notRunning` before `start`. */
  readonly managerRequests: ManagerRequests
}

export const defaultPort = 1516

const silentLog: Log = {
  error: () => {},
  warning: () => {},
  info: () => {},
  debug: () => {},
  debug2: () => {},
  keepsDebug2: false,
  at: () => silentLog,
}

/** Fails at once with `configInvalid` when an option is not allowed, as the daemon does with its files. Does nothing before `start`. */
export const createNode = (options: NodeOptions): ClusterNode => {
  const mistakes = mistakesInOptions(options, isDirectory)
  if (mistakes.length > 0) throw new ClusterError('configInvalid', { message: `createNode: ${mistakes.join('; ')}` })
  const listeners = new Set<(event: NodeEvent) => void>()
  const emit = (event: NodeEvent): void => {
    for (const listener of [...listeners]) listener(event)
  }
  let running: RunningNode | undefined
  return {
    start: async () => {
      if (running) throw new ClusterError('alreadyRunning', { message: 'The node was started already' })
      const ports = realPorts(options)
      const node = startNode(identityOf(options), ports, emit)
      warnOfManager(options, ports.log)
      running = node
      if (options.type === 'worker') return { port: undefined }
      return new Promise((resolve, reject) => {
        const stopListening = onEvent((event) => {
          if (event.type !== 'listening' && event.type !== 'failed') return
          stopListening()
          if (event.type === 'listening') return resolve({ port: event.port })
          running = undefined
          void node.stop().finally(() => reject(event.error))
        })
      })
    },
    stop: async () => {
      const node = running
      running = undefined
      await node?.stop()
    },
    onEvent: (listener) => onEvent(listener),
    get agents() {
      return started().agentOperations
    },
    figures: () => started().figures(),
    query: (query, signal = new AbortController().signal) => started().query(query, signal),
    rulesetDigests: (signal = new AbortController().signal) => started().rulesetDigests(signal),
    carryOut: (command, signal = new AbortController().signal) => started().carryOut(command, signal),
    get managerRequests() {
      return started().managerRequests
    },
  }

  function started(): RunningNode {
    if (!running) throw new ClusterError('notRunning')
    return running
  }

  function onEvent(listener: (event: NodeEvent) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
}

const syncedOf = ({ synced = defaultSyncedItems }: NodeOptions): SyncedItems => withAlwaysExcluded(synced)

const timingsOf = (options: NodeOptions): Timings => ({ ...defaultTimings, ...options.timings })

const identityOf = (options: NodeOptions): NodeIdentity => {
  const port = options.master.port ?? defaultPort
  const identity: NodeIdentity = {
    cluster: options.cluster ?? 'wazuh',
    node: options.node,
    type: options.type,
    version: productVersion,
    wazuhVersion: managerVersion(options.home) ?? servedWazuhVersion,
    managerName: hostname(),
    master: { host: options.type === 'master' ? (options.bindAddress ?? '0.0.0.0') : options.master.host, port },
    address: options.master.host,
    synced: syncedOf(options),
    timings: timingsOf(options),
    compression: options.compression ?? 'auto',
    home: options.home,
    manager: managerBeside(options.home, options.manager),
    enrolmentRules: options.enrolmentRules ?? defaultEnrolmentRules,
    workersMax: options.workersMax ?? topOptions.workersMax.fallback,
    hidden: options.hidden ?? false,
    ...(options.balancer && { balancing: { ...defaultBalancing, ...options.balancer.balancing } }),
  }
  return { ...identity, ...servicesOf(options, identity) }
}

const warnOfManager = ({ home, manager, type }: NodeOptions, log: Log): void => {
  const found = manager === 'none' ? findManager(home) : undefined
  if (found === undefined) return
  const says = `There is a Wazuh manager in ${home} (${found}), but the option manager is "none": both write client.keys, groups and merged.mg.`
  log.at({ tag: type === 'master' ? 'Master' : 'Worker', subtag: 'Main' }).warning(says)
}

const realPorts = (options: NodeOptions): NodePorts => {
  const clock = options.ports?.clock ?? realClock
  const random = options.ports?.random ?? realRandom
  const keys = { current: options.key, ...(options.previousKey !== undefined && { previous: options.previousKey }) }
  const log = options.ports?.log ?? silentLog
  const { home, type, node } = options
  const certificates = ownCertificates(options.tls, home)
  const limits = { streamIdleMsMax: timingsOf(options).transferIdleMsMax, ...admissionLimits(descriptorLimit()) }
  const synced = syncedOf(options)
  const { api, balancer = balancerOf(options), enrolment, listener } = options.ports ?? {}
  const owner = managerBeside(home, options.manager) === 'wazuh' ? ownerBesideManager() : undefined
  return {
    clock,
    random,
    log,
    process: options.ports?.process ?? processMeter,
    machine: options.ports?.machine ?? ownMachine(home),
    agentStore:
      options.ports?.agentStore ?? new SqliteAgentStore({ home, role: type, manager: managerBeside(options.home, options.manager) }),
    agentFiles: options.ports?.agentFiles ?? createAgentFiles({ home, role: type, managerName: hostname(), synced }),
    nodeStates: options.ports?.nodeStates ?? createRealNodeStates(home),
    transport:
      options.ports?.transport ?? createTransport({ ...transportNetworks(options.tls, certificates), clock, random, keys, limits }),
    ...{ ...realHosts(options, home), ...(listener && { listener }), ...(enrolment && { enrolment }) },
    ...(managerBeside(options.home, options.manager) === 'wazuh' && {
      remoted: createRemoted(home),
      wazuh: options.ports?.wazuh ?? createManagerPorts({ home, log, apiBridge: options.apiBridge ?? topOptions.apiBridge.fallback }),
    }),
    ...{ ...(api && { api }), ...(balancer && { balancer }), ...(certificates && { certificates }) },
    files:
      options.ports?.files ??
      createFiles({ home, synced, role: type, stageDir: join(home, 'queue', 'cluster', node), ...(owner && { owner }) }),
  }
}
