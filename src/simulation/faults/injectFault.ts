/** Makes a fault of a plan happen in a simulated cluster, and says how it ends. */
import type { SimulatedCluster } from '../cluster.js'
import { balancerHost } from '../network/simulatedBalancer.js'
import { fleetHost } from '../simulatedFleet.js'
import { SeededRandom } from '../world/seededRandom.js'
import { type Fault, type FaultClass, type FaultKind, type FaultOf, faultTable } from './faultPlan.js'
import { injectAgentFault } from './injectAgentFault.js'
import { injectBalancerFault } from './injectBalancerFault.js'
import { injectManagedAgentFault, injectManagerFault } from './injectManagerFault.js'

/** Undoes a fault that lasts. */
export type Ending = { readonly afterMs: number; readonly end: () => void }

const contentOf = (seed: number, size: number): Buffer => Buffer.from(new SeededRandom(`content ${seed}`).bytes(size))

/** What the operator does by hand may be refused by the disk as it is (a directory in the way): then it was not done. */
const byHand = (act: () => void): void => {
  try {
    act()
  } catch (thrown) {
    if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
  }
}

/** A fault of the network may be between a node and the host of the agents, or the load balancer. */
const isKnown = (cluster: SimulatedCluster, kind: FaultKind, name: string): boolean => {
  if (cluster.nodes.some((node) => node.name === name)) return true
  const isPeer = (cluster.fleet && name === fleetHost) || (cluster.balancer && name === balancerHost)
  return isPeer === true && faultTable[kind].of === 'network'
}

const isOf = <C extends FaultClass>(of: C, fault: Fault): fault is FaultOf<C> => faultTable[fault.kind].of === of

/** These befall a node's own table, also where a real manager has the agents. */
const ofTables: ReadonlySet<FaultKind> = new Set(['tableLocked', 'workerTableDamaged'])

const namesIn = (fault: Fault): readonly string[] => [
  ...('node' in fault ? [fault.node] : []),
  ...('by' in fault ? [fault.by] : []),
  ...('a' in fault ? [fault.a, fault.b] : []),
]

/** Faults of nodes that the cluster does not have are nothing: a plan may be replayed with fewer nodes. */
export const injectFault = (cluster: SimulatedCluster, fault: Fault): Ending | undefined => {
  if (namesIn(fault).some((name) => !isKnown(cluster, fault.kind, name))) return undefined
  cluster.trace.add(cluster.clock.monotonicMs(), 'faults', JSON.stringify(fault))
  const { balancer, managed, network } = cluster
  if (isOf('balancer', fault)) return balancer && injectBalancerFault(balancer, fault)
  if (isOf('manager', fault)) {
    const { manager } = cluster.node(fault.node)
    return managed && manager && injectManagerFault(manager, managed, fault)
  }
  if (managed && isOf('agents', fault) && !ofTables.has(fault.kind)) {
    injectManagedAgentFault(managed, fault)
    return undefined
  }
  switch (fault.kind) {
    case 'crash':
    case 'kill':
      cluster.crash(fault.node, fault.kind === 'crash' ? 'power' : 'process')
      return { afterMs: fault.durationMs, end: () => cluster.start(fault.node) }
    case 'stop':
      cluster.stop(fault.node)
      return { afterMs: fault.durationMs, end: () => cluster.start(fault.node) }
    case 'pause':
      cluster.freeze(fault.node)
      return { afterMs: fault.durationMs, end: () => cluster.thaw(fault.node) }
    case 'partition':
      network.partition(fault.a, fault.b)
      return { afterMs: fault.durationMs, end: () => network.repair(fault.a, fault.b) }
    case 'isolate':
      network.isolate(fault.node)
      return { afterMs: fault.durationMs, end: () => network.rejoin(fault.node) }
    case 'hold':
      network.hold(fault.a, fault.b)
      return { afterMs: fault.durationMs, end: () => network.release(fault.a, fault.b) }
    case 'reset':
      network.reset(fault.a, fault.b)
      return undefined
    case 'latency':
      network.setLatency({ minMs: fault.latencyMs / 2, maxMs: fault.latencyMs })
      return { afterMs: fault.durationMs, end: () => network.setLatency({ minMs: 0.1, maxMs: 2 }) }
    case 'slowNetwork':
      network.setBandwidth(fault.bytesPerSecond)
      return { afterMs: fault.durationMs, end: () => network.setBandwidth(Number.POSITIVE_INFINITY) }
    case 'clockJump':
      cluster.jumpClock(fault.node, fault.jumpMs)
      return undefined
    case 'diskFault': {
      const stop = cluster.node(fault.node).disk.fail({ operation: fault.operation, code: fault.errno })
      return { afterMs: fault.durationMs, end: stop }
    }
    case 'diskFull': {
      const stop = cluster.node(fault.node).disk.fail({ operation: 'write', code: 'ENOSPC' })
      return { afterMs: fault.durationMs, end: stop }
    }
    case 'editMaster':
      byHand(() => cluster.write('master', fault.path, contentOf(fault.contentSeed, fault.size)))
      return undefined
    case 'editWorker':
    case 'addExtraFile':
      byHand(() => cluster.write(fault.node, fault.path, contentOf(fault.contentSeed, fault.size)))
      return undefined
    case 'deleteMasterFile':
      byHand(() => cluster.node('master').disk.unlink(cluster.absolute(fault.path)))
      return undefined
    case 'deleteWorkerFile':
      byHand(() => cluster.node(fault.node).disk.unlink(cluster.absolute(fault.path)))
      return undefined
    case 'chmod':
      byHand(() => cluster.node(fault.node).disk.setMode(cluster.absolute(fault.path), fault.mode))
      return undefined
    case 'replaceWithDirectory':
      byHand(() => {
        const { disk } = cluster.node(fault.node)
        disk.unlink(cluster.absolute(fault.path))
        disk.mkdir(cluster.absolute(fault.path), 0o770)
      })
      return undefined
    case 'symlink':
      byHand(() => {
        const { disk } = cluster.node(fault.node)
        disk.unlink(cluster.absolute(fault.path))
        disk.makeSymlink(fault.target, cluster.absolute(fault.path))
      })
      return undefined
    case 'drainNode':
      void cluster.operators.say(fault.by, fault.node, 'drained')
      return undefined
    case 'readyNode':
      void cluster.operators.say(fault.by, fault.node, 'ready')
      return undefined
    case 'removeNode':
      void cluster.operators.say(fault.by, fault.node, 'removed')
      return undefined
    case 'certificateEnds':
      cluster.certify(fault.node, fault.validMs)
      return { afterMs: fault.durationMs, end: () => cluster.certify(fault.node) }
    case 'listenerDies':
      cluster.node(fault.node).fronts?.killListener()
      return undefined
    case 'tableLocked': {
      const { agentTable } = cluster.node(fault.node)
      agentTable.isLocked = true
      return {
        afterMs: fault.durationMs,
        end: () => {
          agentTable.isLocked = false
        },
      }
    }
    case 'workerTableDamaged':
      cluster.agents.tableDamaged(cluster.node(fault.node))
      return undefined
    case 'keysFlicker':
      return cluster.agents.flicker(fault.damage, fault.durationMs)
    case 'enrolAgent':
      void cluster.agents.enrol(fault.node)
      return undefined
    case 'createGroup':
      void cluster.agents.createGroup(fault.group)
      return undefined
    case 'deleteGroup':
      void cluster.agents.removeGroup(fault.group)
      return undefined
    default:
      return injectAgentFault(cluster, fault)
  }
}
