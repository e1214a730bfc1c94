/**
 * One run of a simulated cluster: a safety phase under faults, then everything is repaired, then all must be the same within a
 * bound, then all must be gone. The same options give the same run, to the last event.
 */

import type { Manager } from '../domain/agents/leftToManager.js'
import type { BalancingOptions } from '../domain/balancer/balancingOptions.js'
import type { Timings } from '../domain/cluster/timings.js'
import type { SyncedItems } from '../domain/files/syncedItems.js'
import { SimulatedCluster } from './cluster.js'
import type { FaultKind, FaultPlan } from './faults/faultPlan.js'
import { defaultFaultPaths, randomPlan } from './faults/randomPlan.js'
import { schedulePlan } from './faults/schedulePlan.js'
import { balancerHost } from './network/simulatedBalancer.js'
import type { Violation } from './rules/checkers.js'
import { keysPath } from './simulatedAgents.js'
import { fleetHost, type SimulatedFleet } from './simulatedFleet.js'
import { SeededRandom } from './world/seededRandom.js'

export interface SimulateOptions {
  readonly seed: number
  /** The master and its workers; 2 to 200. */
  readonly nodes: number
  /** Of the phase under faults. */
  readonly virtualMs: number
  /** Drawn from the seed with `faultsPerHour`, unless `plan` says what goes wrong. */
  readonly kinds?: readonly FaultKind[]
  readonly faultsPerHour?: number
  readonly plan?: FaultPlan
  /** That speak the real protocol; one in `seedsPerFleet` seeds has some when it is left out. */
  readonly agents?: number
  /** Whether nodes show certificates to each other; in one of `seedsPerTls` seeds they do when it is left out. */
  readonly tls?: boolean
  /** Whether these agents come by a load balancer that the master drives; in half of the seeds that have agents they do when it is left out. */
  readonly balancer?: boolean
  /** `wazuh`: real managers beside the nodes, which have the agents; in one of `seedsPerManager` seeds when it is left out, and no agents are asked for. */
  readonly manager?: Manager
  readonly synced?: SyncedItems
  readonly timings?: Partial<Timings>
  /** Called about every virtual minute. */
  readonly onProgress?: (progress: Progress) => void
  /** Lines of the trace to keep for the report. */
  readonly linesKept?: number
}

export interface Progress {
  readonly virtualMs: number
  readonly events: number
  readonly faults: number
  readonly syncs: number
  readonly agents: number
  /** Reports that agents made. */
  readonly reports: number
}

export interface SimulationReport extends Progress {
  /** Of agents that speak the real protocol: how many, what they sent, and how often they went to another node or came back. */
  readonly fleet?: { readonly agents: number; readonly events: number; readonly reconnects: number; readonly enrolled: number }
  readonly seed: number
  readonly nodes: number
  readonly plan: FaultPlan
  /** Times that a rule was checked. */
  readonly checks: number
  readonly traceHash: string
  /** In order; empty when all went well. */
  readonly violations: readonly Violation[]
  readonly lastLines: readonly string[]
}

export const defaultFaultsPerHour = 30

/** A fault plan for these options: drawn once, then data like any other. */
export const planOf = (options: SimulateOptions): FaultPlan => {
  if (options.plan) return options.plan
  const nodes = Array.from({ length: options.nodes }, (_, index) => (index === 0 ? 'master' : `w${index}`))
  const perHour = options.faultsPerHour ?? defaultFaultsPerHour
  return randomPlan(new SeededRandom(`plan ${options.seed}`), {
    nodes,
    durationMs: options.virtualMs,
    kinds: options.kinds ?? [],
    perHour,
    peers: [...(fleetOf(options) > 0 ? [fleetHost] : []), ...(isBalanced(options) ? [balancerHost] : [])],
  })
}

/** Agents are there from the start, and connect soon after it. */
const agentsAtStart = 20
const connectAtMs = 10_000
const connectedMs = 300_000

const populate = (cluster: SimulatedCluster): void => {
  const { agents, clock, managed, nodes } = cluster
  if (managed) {
    managed.populate(agentsAtStart, ['default', 'web', 'db'])
    for (const [index, { id }] of managed.all.entries())
      clock.setTimeout(() => managed.connect(nodes[index % nodes.length]?.name ?? 'master', id), connectAtMs)
    return
  }
  agents.populate(agentsAtStart, ['default', 'web', 'db'])
  for (const [index, { id }] of agents.enrolled.all.entries())
    clock.setTimeout(() => agents.connect(nodes[index % nodes.length]?.name ?? 'master', id, connectedMs), connectAtMs)
}

const seedsPerManager = 7

/** Whether real managers stand beside the nodes in a run with these options. */
export const managerOf = ({
  agents,
  balancer,
  manager,
  seed,
}: Pick<SimulateOptions, 'agents' | 'balancer' | 'manager' | 'seed'>): Manager =>
  manager ?? (!agents && !balancer && seed % seedsPerManager === 1 ? 'wazuh' : 'none')

const seedsPerFleet = 5
const fleetAgents = 5

/** Agents that speak the real protocol in a run with these options. */
export const fleetOf = (options: Pick<SimulateOptions, 'agents' | 'balancer' | 'manager' | 'seed'>): number => {
  if (managerOf(options) === 'wazuh') return 0
  return options.agents ?? (options.balancer || options.seed % seedsPerFleet === 0 ? fleetAgents : 0)
}

const isBalanced = (options: Pick<SimulateOptions, 'agents' | 'balancer' | 'manager' | 'seed'>): boolean =>
  fleetOf(options) > 0 && (options.balancer ?? options.seed % (2 * seedsPerFleet) === seedsPerFleet)

/** So that much happens, and nothing that is gone is kept for hours. */
const balancing: Partial<BalancingOptions> = {
  frequencyMs: 10_000,
  stabilityMs: 10_000,
  agentReconnectionMs: 1_000,
  removeDisconnectedMs: 60_000,
}

const seedsPerTls = 4

/** Whether nodes show certificates in a run with these options. */
export const tlsOf = ({ seed, tls }: Pick<SimulateOptions, 'seed' | 'tls'>): boolean => tls ?? seed % seedsPerTls === 3

const fleetReport = ({ agents, counts: { enrolled, reconnects, sent } }: SimulatedFleet): NonNullable<SimulationReport['fleet']> => ({
  agents,
  events: sent,
  reconnects,
  enrolled,
})

const progressEveryMs = 60_000

/** In what agents get is no NUL: it could not be sent to them, and no push would be tried. */
const initialContent = (path: string, bytes: Uint8Array): Buffer =>
  path.startsWith('etc/shared/') ? Buffer.from(Buffer.from(bytes).toString('base64')) : Buffer.from(bytes)

export const simulate = async (options: SimulateOptions): Promise<SimulationReport> => {
  const plan = planOf(options)
  const cluster = new SimulatedCluster({
    ...options,
    agents: fleetOf(options),
    tls: tlsOf(options),
    manager: managerOf(options),
    ...(isBalanced(options) && { balancing }),
  })
  let faults = 0
  const progress = (): Progress => ({
    virtualMs: cluster.clock.monotonicMs(),
    events: cluster.trace.count,
    faults,
    syncs: cluster.syncs,
    agents: (cluster.managed?.all ?? cluster.agents.enrolled.all).length,
    reports: cluster.managed?.reports ?? cluster.agents.reports,
  })
  const report = (): SimulationReport => ({
    ...progress(),
    seed: options.seed,
    nodes: options.nodes,
    ...(cluster.fleet && { fleet: fleetReport(cluster.fleet) }),
    plan,
    checks: cluster.checks,
    traceHash: cluster.trace.hash(),
    violations: cluster.violations,
    lastLines: cluster.trace.lines(),
  })

  const initial = cluster.random.fork('initial files')
  for (const path of defaultFaultPaths)
    if (cluster.isSynced(path)) cluster.write('master', path, initialContent(path, initial.fork(path).bytes(initial.integer(0, 5_000))))
  if (cluster.isSynced(keysPath)) populate(cluster)
  cluster.startAll()
  cluster.fleet?.start()
  const endPlan = schedulePlan(cluster, plan, () => {
    faults += 1
  })

  while (cluster.clock.monotonicMs() < options.virtualMs && cluster.violations.length === 0) {
    await cluster.clock.advance(Math.min(progressEveryMs, options.virtualMs - cluster.clock.monotonicMs()))
    cluster.checkNow()
    options.onProgress?.(progress())
  }
  endPlan()
  // Always: a node that stands still cannot stop.
  cluster.heal()
  await cluster.settle()
  await cluster.stopAll()
  return report()
}
