/** The process of a simulated node: the daemon's own code, on ports of the simulated world. */
import { posix } from 'node:path'
import { type RunningNode, startNode } from '../actors/node.js'
import type { NodeIdentity, NodePorts } from '../actors/nodeContext.js'
import type { NodeEvent } from '../actors/nodeEvent.js'
import { limits } from '../base/limits.js'
import type { BalancingOptions } from '../domain/balancer/balancingOptions.js'
import type { SyncedItems } from '../domain/files/syncedItems.js'
import type { Balancer } from '../ports/balancer.js'
import type { Link } from '../ports/link.js'
import type { Clock, Log } from '../ports/machine.js'
import { createTransport, type TransportOptions } from '../transport/transport.js'
import { PlainCipher } from './network/plainCipher.js'
import type { SimulatedNetwork } from './network/simulatedNetwork.js'
import { createSimulatedNodeNetwork } from './network/simulatedNodeNetwork.js'
import { type SimulatedFronts, simulatedEnrolmentOptions, simulatedListenerOptions } from './simulatedFronts.js'
import type { SimulatedNode } from './simulatedNode.js'
import { MemoryAgentStore } from './world/memoryAgentStore.js'
import type { SeededRandom } from './world/seededRandom.js'
import { createSimulatedAgentFiles } from './world/simulatedAgentFiles.js'
import { createSimulatedFiles } from './world/simulatedFiles.js'
import { createSimulatedNodeStates } from './world/simulatedNodeStates.js'
import type { WatchedDisk } from './world/watchedDisk.js'

/** The manager's directory of every node. */
export const simulatedHome = '/var/ossec'
const master = { host: 'master', port: 1516 }
const cluster = 'simulated'
/** Not the one that is assumed of a peer that does not say it. */
const wazuhVersion = '4.14.6'
const version = '1.0.0'
const keys = { current: '0123456789abcdef0123456789abcdef' }
const plainCipher = (): PlainCipher => new PlainCipher()

/** Where a node stages content. */
export const stageDirOf = (node: string): string => posix.join(simulatedHome, 'queue', 'cluster', node)

export interface ProcessOptions extends Pick<NodeIdentity, 'enrolmentRules' | 'manager' | 'timings'> {
  readonly synced: SyncedItems
  readonly network: SimulatedNetwork
  /** The process's view of the disk. */
  readonly disk: WatchedDisk
  readonly random: SeededRandom
  readonly log: Log
  /** What agents connect to; undefined: nothing. */
  readonly fronts: SimulatedFronts | undefined
  /** A master's, and how it drives it. */
  readonly balancer: { readonly port: Balancer; readonly balancing: BalancingOptions } | undefined
}

export const startProcess = (node: SimulatedNode, options: ProcessOptions, onEvent: (event: NodeEvent) => void): RunningNode =>
  startNode(identityOf(node, options), portsOf(node, options), onEvent)

const identityOf = ({ name, role }: SimulatedNode, options: ProcessOptions): NodeIdentity => {
  const { balancer, enrolmentRules, fronts, manager, synced, timings } = options
  return {
    ...{ cluster, node: name, type: role, version, wazuhVersion, managerName: name, master, address: master.host },
    ...{ enrolmentRules, manager, synced, timings, home: simulatedHome, compression: 'auto', workersMax: limits.workersMax },
    ...(fronts && {
      listener: simulatedListenerOptions(name, { cluster, home: simulatedHome, wazuhVersion }),
      enrolment: simulatedEnrolmentOptions(name, { home: simulatedHome, isMaster: role === 'master', wazuhVersion }),
    }),
    ...(balancer && { balancing: balancer.balancing }),
  }
}

const portsOf = (node: SimulatedNode, options: ProcessOptions): NodePorts => {
  const { agentTable, certificates, clock, manager, mistakes, name, role } = node
  const { balancer, disk, fronts, log, random, synced, timings } = options
  const limitsOfLinks = { streamIdleMsMax: timings.transferIdleMsMax }
  const home = simulatedHome
  return {
    ...{ clock, random, log },
    machine: { timeZone: 'UTC', utcOffsetMinutes: () => 0, configurationMistakes: () => mistakes },
    transport: createTransport({ ...networksOf(node, options), clock, random, keys, plainCipher, limits: limitsOfLinks }),
    ...(certificates && { certificates }),
    agentStore: new MemoryAgentStore(agentTable, clock),
    agentFiles: createSimulatedAgentFiles(disk, clock, { home, role, managerName: name, synced }),
    nodeStates: createSimulatedNodeStates(disk, clock, home),
    ...(fronts && { listener: fronts.listener, enrolment: fronts.enrolment }),
    ...(balancer && { balancer: balancer.port }),
    ...(manager && { wazuh: manager.ports(clock) }),
    files: createSimulatedFiles(disk, clock, { home, synced, role, stageDir: stageDirOf(name), changes: disk }),
  }
}

const networksOf = (
  { certificates, clock, name }: SimulatedNode,
  { network, random }: ProcessOptions,
): Pick<TransportOptions, 'network' | 'certified'> => {
  const plain = network.network(name)
  if (!certificates) return { network: plain }
  // What is in the files now: the process begins with it.
  certificates.refresh()
  const certified = createSimulatedNodeNetwork({ network: plain, clock, random: random.fork('tls'), certificates })
  return { network: certified, certified: { requires: true, allowed: undefined, plain } }
}

/** A link to the master from a peer that has the key but is not one of the nodes: to see what it can do. */
export const dialMasterAs = (name: string, network: SimulatedNetwork, clock: Clock, random: SeededRandom): Promise<Link> => {
  const transport = createTransport({ network: network.network(name), clock, random, keys, plainCipher })
  const hello = { cluster, node: name, type: 'worker' as const, instance: name, version, capabilities: [] }
  return transport.dial(master, hello, new AbortController().signal)
}
