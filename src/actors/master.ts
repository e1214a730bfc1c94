/**
 * The master's side of the cluster: listens, lets workers in, runs a connection for each. It ends only when it is stopped
 * or cannot listen on its address.
 */
import { assign, fromCallback, setup } from 'xstate'
import { asClusterError, type ClusterError } from '../base/errors.js'
import type { Manager } from '../domain/agents/leftToManager.js'
import { addressPrefix } from '../domain/cluster/addressPrefix.js'
import { joinedSentence, leftSentence } from '../domain/cluster/monitoring/memberSentences.js'
import type { NodeFigures } from '../domain/cluster/nodeFigures.js'
import type { Timings } from '../domain/cluster/timings.js'
import type { AdmissionPolicy, Refusal, Transport } from '../ports/link.js'
import type { ListenerCounts } from '../ports/listener.js'
import type { Clock, Log } from '../ports/machine.js'
import type { Endpoint, Listener } from '../ports/network.js'
import type { RequestBody } from '../wire/muster/messages.js'
import { agentGroupsSendInput } from './agents/agentGroups.js'
import { agentInfoReceiveInput } from './agents/agentInfo.js'
import { type MasterOperationsOptions, masterOperations } from './agents/agentOperations.js'
import { agentRegistrationInput } from './agents/agentRegistration.js'
import type { PublishedGroups } from './agents/localAgentGroups.js'
import type { LocalAgents } from './agents/nodeAgents.js'
import type { ClusterEvents } from './cluster/clusterEvents.js'
import { answering, type ConnectionThread, thread } from './cluster/connection.js'
import { keepAliveReceiver } from './cluster/keepAlive.js'
import type { NodeMeter } from './cluster/nodeMeter.js'
import type { NodeStates } from './cluster/nodeStates.js'
import { nodeStateSendInput } from './cluster/nodeStateThreads.js'
import { PeerLogs } from './cluster/peerLogs.js'
import { RefusalLog } from './cluster/refusalLog.js'
import { type Member, Registry } from './cluster/registry.js'
import type { WorkerRecords } from './cluster/workerRecords.js'
import { integrityServeInput } from './files/integrity.js'
import type { LocalTree } from './files/localTree.js'
import { type End, machineOptions } from './kit/host.js'
import { type Carried, carryThreads } from './manager/carryThreads.js'
import { rulesetFollowInput } from './manager/rulesetReload.js'
import { clusterQueriesInput, type MasterView } from './queries/clusterQueries.js'
import type { ReportMaker } from './queries/nodeReports.js'

export interface MasterOptions {
  readonly cluster: string
  readonly node: string
  readonly workersMax: number
  readonly version: string
  readonly wazuhVersion: string
  readonly managerName: string
  readonly home: string
  readonly manager: Manager
  readonly bind: Endpoint
  readonly capabilities: readonly string[]
  readonly timings: Timings
  readonly transport: Transport
  readonly tree: LocalTree
  readonly agents: LocalAgents
  readonly groups: PublishedGroups
  readonly states: NodeStates
  readonly clock: Clock
  readonly log: Log
  /** As `cluster_control -l` shows it. */
  readonly address: string
  /** When the node began. */
  readonly startedMs: number
  readonly meter: NodeMeter
  readonly records: WorkerRecords
  readonly events: ClusterEvents
  readonly figures: () => Promise<NodeFigures>
  readonly report: ReportMaker
  readonly onListening: (listener: Listener) => void
  /** What workers have carried out here; nothing without a manager. */
  readonly carried?: Carried
  /** See AgentOperations. */
  readonly reconnect: MasterOperationsOptions['reconnect']
  /** What this node's own listener counted; undefined without one. */
  readonly listenerCounts: () => Promise<ListenerCounts | undefined>
}

/** The connections of a master, and the registry that holds them. */
export const masterRegistry = (options: MasterOptions): Registry => {
  const { agents, carried, cluster, groups, node, clock, log, meter, states, timings, tree, workersMax } = options
  // Names are free: by the address, who comes and goes is one peer under any of them.
  const arrivals = new PeerLogs(log, clock, workersMax)
  const arrivalLog = ({ link }: Member): Log => arrivals.of(addressPrefix(link.peer.address), { tag: 'Master', subtag: 'Main' })
  const threads: readonly ConnectionThread<Member>[] = [
    answering('integrity', (member) => {
      const served = {
        checked: (tookMs: number) => meter.checks.add(tookMs),
        applied: (report: RequestBody<'integrity.report'>) => {
          meter.syncs.add(report.tookMs)
          registry.applied.emit({ member, report })
        },
      }
      return integrityServeInput({ tree, clock, served }, member)
    }),
    answering('queries', ({ link, name }) =>
      // The log says through which worker an operator changed something.
      clusterQueriesInput(link, masterView(options, registry, log.at({ tag: `Worker ${name}` }))),
    ),
    answering('agentInfo', ({ link, state, log: memberLog }) =>
      agentInfoReceiveInput({ agents, clock, link, state, log: memberLog.at({ subtag: 'Agent-info sync' }) }),
    ),
    answering('agentGroups', ({ link, state, log: memberLog }) =>
      agentGroupsSendInput({ agents, published: groups, clock, link, state, log: memberLog }),
    ),
    answering('nodeState', ({ link, name }) => nodeStateSendInput(name, link, states)),
    answering('registration', ({ link, log: memberLog }) => agentRegistrationInput(link, masterOperations(options, memberLog))),
    ...carryThreads<Member>(carried, clock),
    answering('ruleset', ({ link, state }) => rulesetFollowInput(link, state)),
    thread(
      'keepAlive',
      keepAliveReceiver({ checkIntervalMs: timings.checkLastKeepAliveMs, silenceMsMax: timings.silenceMsMax }, clock),
      (member) => ({
        link: member.link,
        log: member.log.at({ subtag: 'Keep Alive' }),
        onBeat: (beat) => {
          const { state } = member
          const isListenerLost = state.listener !== undefined && beat.listener === undefined
          state.beat({ ...beat, atMs: clock.now() })
          if (isListenerLost) registry.listenerLost.emit(member)
        },
      }),
    ),
  ]
  const registry: Registry = new Registry({
    cluster,
    masterNode: node,
    workersMax,
    states,
    clock,
    log,
    onRestart: meter.threadRestarted,
    threads,
  })
  registry.joined.add((member) => {
    const { level, message } = joinedSentence(member.link.peer)
    arrivalLog(member)[level](message)
  })
  registry.left.add(({ member, error }) => {
    const { level, message } = leftSentence(member.name, error)
    arrivalLog(member)[level](message)
  })
  return registry
}

/** What the programs may ask for and have done; `log` is for what they have done. */
export const masterView = (
  options: Pick<
    MasterOptions,
    | 'address'
    | 'agents'
    | 'clock'
    | 'cluster'
    | 'events'
    | 'figures'
    | 'home'
    | 'listenerCounts'
    | 'manager'
    | 'managerName'
    | 'node'
    | 'reconnect'
    | 'records'
    | 'report'
    | 'startedMs'
    | 'states'
    | 'timings'
    | 'tree'
    | 'version'
    | 'wazuhVersion'
  >,
  registry: Registry,
  log: Log,
): MasterView => {
  const { address, clock, cluster, node, version, wazuhVersion } = options
  const { agents, events, figures, listenerCounts, managerName, records, report, startedMs, states, timings, tree } = options
  const self = { name: node, type: 'master', version: wazuhVersion, muster: version, address } as const
  const operations = masterOperations(options, log.at({ subtag: 'Local agents' }))
  return {
    ...{
      agents,
      clock,
      cluster,
      events,
      figures,
      listenerCounts,
      managerName,
      operations,
      records,
      registry,
      report,
      self,
      startedMs,
      states,
      tree,
    },
    // The caller waits this long for all reports.
    reportMsMax: timings.requestTimeoutMs / 2,
    log,
  }
}

type DoorEvent =
  | { type: 'door.opened'; listener: Listener }
  | { type: 'door.failed'; error: ClusterError }
  | { type: 'door.refused'; refusal: Refusal }

export const master = (options: MasterOptions, registry: Registry) => {
  const log = options.log.at({ tag: 'Master', subtag: 'Main' })
  const refusals = new RefusalLog(options.clock, log)
  return setup({
    types: { context: {} as { error: ClusterError | undefined }, events: {} as DoorEvent, output: {} as End },
    actors: {
      door: fromCallback<{ type: 'none' }>(({ sendBack }) => {
        let stopped = false
        const policy: AdmissionPolicy = {
          admit: (hello) => {
            const decision = registry.admit(hello)
            if (!decision.ok) return decision
            return {
              ok: true,
              value: {
                cluster: options.cluster,
                node: options.node,
                version: options.version,
                wazuh: options.wazuhVersion,
                capabilities: [...options.capabilities],
              },
            }
          },
          onLink: (link) => registry.add(link),
          onRefusal: (refusal) => sendBack({ type: 'door.refused', refusal }),
        }
        // Which nodes were removed must be known before any node is let in.
        const opening = options.states.loaded.then(() => options.transport.listen(options.bind, policy))
        opening.then(
          (listener) => stopped || sendBack({ type: 'door.opened', listener }),
          (thrown: unknown) => stopped || sendBack({ type: 'door.failed', error: asClusterError(thrown, 'listenFailed') }),
        )
        return () => {
          stopped = true
          opening.then((listener) => listener.close()).catch(() => undefined)
          registry.closeAll()
          refusals.close()
        }
      }),
    },
    actions: {
      keepError: assign({ error: (_, error: ClusterError) => error }),
      announce: (_, listener: Listener) => {
        log.info(`Serving on ('${listener.address}', ${listener.port})`) // as Wazuh writes it
        options.onListening(listener)
      },
      logRefusal: (_, refusal: Refusal) => refusals.add(refusal),
      countRefusal: (_, { error }: Refusal) => options.meter.refusals.add(error.code),
    },
  }).createMachine({
    id: 'master',
    options: machineOptions,
    context: { error: undefined },
    invoke: { src: 'door' },
    on: {
      'door.refused': {
        actions: [
          { type: 'logRefusal', params: ({ event }) => event.refusal },
          { type: 'countRefusal', params: ({ event }) => event.refusal },
        ],
      },
    },
    initial: 'opening',
    states: {
      opening: {
        on: {
          'door.opened': { target: 'serving', actions: { type: 'announce', params: ({ event }) => event.listener } },
          'door.failed': { target: 'failed', actions: { type: 'keepError', params: ({ event }) => event.error } },
        },
      },
      serving: {},
      failed: { type: 'final' },
    },
    output: ({ context }): End => ({ kind: 'closed', ...(context.error && { error: context.error }) }),
  })
}
