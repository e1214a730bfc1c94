/** What must come of a simulated cluster once nothing goes wrong any more, and how long that may take. */
import { posix } from 'node:path'
import { limits } from '../../base/limits.js'
import type { BalancingOptions } from '../../domain/balancer/balancingOptions.js'
import type { NodeState } from '../../domain/cluster/nodeState.js'
import type { Timings } from '../../domain/cluster/timings.js'
import { itemOf, type SyncedItems } from '../../domain/files/syncedItems.js'
import type { ManagedAgents } from '../manager/managedAgents.js'
import type { SimulatedBalancer } from '../network/simulatedBalancer.js'
import { keysPath, type SimulatedAgents } from '../simulatedAgents.js'
import type { SimulatedFleet } from '../simulatedFleet.js'
import type { SimulatedNode } from '../simulatedNode.js'
import type { SimulatedOperators } from '../simulatedOperators.js'
import type { VirtualClock } from '../world/virtualClock.js'
import { AgentRules } from './agentRules.js'
import { balanceDifferences, balanceMsMax } from './balancedServers.js'
import { convergenceMsMax } from './convergenceBound.js'
import { expectedTree, treeDifferences } from './expectedTree.js'
import { managedAgentDifferences } from './managedAgentRules.js'
import { nodeStateDifferences } from './nodeStateRules.js'

export interface HealedClusterOptions {
  readonly clock: VirtualClock
  readonly master: SimulatedNode
  readonly workers: readonly SimulatedNode[]
  readonly synced: SyncedItems
  readonly timings: Timings
  readonly home: string
  readonly agents: SimulatedAgents
  readonly operators: SimulatedOperators
  /** Where the agents are those of real managers. */
  readonly managed: ManagedAgents | undefined
  /** Agents that speak the real protocol, if there are any. */
  readonly fleet: SimulatedFleet | undefined
  /** What they come by, if it is one. */
  readonly balancer: SimulatedBalancer | undefined
  readonly balancing: BalancingOptions
  isMember(name: string): boolean
  violated(rule: string, says: string): void
}

/** Until groups are known that were made last, and what wazuh-db lost was read again. */
const managersMsMax = 120_000

export class HealedCluster {
  readonly #options: HealedClusterOptions
  readonly #agentRules: AgentRules

  constructor(options: HealedClusterOptions) {
    const { agents, home, managed, master, timings, violated, workers } = options
    this.#options = options
    this.#agentRules = new AgentRules({
      ...{ agents, violated, nodes: [master, ...workers], hasManager: managed !== undefined },
      disconnectionMs: timings.agentsDisconnectionMs,
      keysPath: posix.join(home, keysPath),
      masterHas: (path) => this.#treeOf(master).files.has(path),
    })
  }

  /** Times that a rule was checked. */
  get checks(): number {
    return this.#agentRules.checks + (this.#options.fleet?.checks ?? 0)
  }

  /** The bound, in milliseconds, within which a healed cluster must have the same files everywhere. */
  get convergenceMsMax(): number {
    const { managed, timings } = this.#options
    return convergenceMsMax(timings) + (managed ? managersMsMax : 0)
  }

  /** Lets time pass until all workers have the master's files; a violation when that takes longer than the bound. */
  async converge(): Promise<void> {
    const { managed, master } = this.#options
    const owed = this.#agentRules.owed()
    const rule = `a healed cluster converges within ${this.convergenceMsMax / 1_000} s`
    const isSettled = await this.#within(rule, this.convergenceMsMax, () => [...this.differences(), ...this.#agentDifferences(owed)])
    if (isSettled && !managed && this.#hasSyncedKeys) this.#agentRules.settled(master.clock.now())
  }

  /** @param owed see AgentRules */
  #agentDifferences(owed: ReadonlyMap<string, number>): readonly string[] {
    const { fleet, managed, master, workers } = this.#options
    return [
      ...(this.#hasSyncedKeys ? this.#agentRules.differences(owed) : []),
      ...(managed ? managedAgentDifferences(master, workers, managed) : []),
      ...(fleet?.differences() ?? []),
    ]
  }

  /** Lets time pass until nodes are what operators said of them; then all are made ready. Violations when one of them takes too long. */
  async settleStates(): Promise<void> {
    const { master, operators, workers } = this.#options
    if (!operators.hasSpoken) return
    const msMax = this.convergenceMsMax + limits.nodeDrainMsMax
    await this.#within('nodes are what operators said of them', msMax, () => this.#stateDifferences())
    for (const { name } of [master, ...workers]) void operators.say(master.name, name, 'ready')
    await this.#within('nodes that are made ready are in, and take agents', msMax, () => this.#stateDifferences('ready'))
  }

  /** Lets time pass until the balancer serves all nodes alike; a violation when that takes too long. */
  async balance(): Promise<void> {
    const { balancer, balancing, fleet } = this.#options
    if (!balancer) return
    const msMax = balanceMsMax(balancing)
    await this.#within(`agents are balanced within ${msMax / 1_000} s`, msMax, () => [
      ...this.balanceDifferences(),
      ...(fleet?.differences() ?? []),
    ])
  }

  /** Where the workers' files are not the master's. */
  differences(): string[] {
    const { master, workers } = this.#options
    const wanted = this.#treeOf(master)
    return workers.flatMap((worker) => treeDifferences(wanted, this.#treeOf(worker)).map((says) => `${worker.name}: ${says}`))
  }

  /** Where the balancer does not have what it should; it must, within a bound after the cluster has converged. */
  balanceDifferences(): readonly string[] {
    const { balancer, balancing, isMember, master, workers } = this.#options
    const connected = workers.filter(({ name, running }) => running && isMember(name)).map(({ name }) => name)
    const names = master.running ? [master.name, ...connected] : connected
    return balancer ? balanceDifferences(balancer.servers(), names, balancing) : []
  }

  #stateDifferences(said?: NodeState): readonly string[] {
    const { balancer, isMember, master, operators, workers } = this.#options
    return nodeStateDifferences({ nodes: [master, ...workers], operators, servers: balancer?.servers() ?? [], isMember }, said)
  }

  /** Lets time pass until nothing differs any more; false, and a violation of the rule, when that takes longer than the bound. */
  async #within(rule: string, msMax: number, differences: () => readonly string[]): Promise<boolean> {
    const { clock, violated } = this.#options
    const endMs = clock.monotonicMs() + msMax
    let last: readonly string[] = []
    do {
      await clock.advance(1_000)
      last = differences()
    } while (last.length > 0 && clock.monotonicMs() < endMs)
    if (last.length > 0) violated(rule, last.slice(0, 5).join('; '))
    return last.length === 0
  }

  #treeOf({ disk, role }: SimulatedNode) {
    const { home, synced } = this.#options
    return expectedTree(disk, home, synced, role)
  }

  get #hasSyncedKeys(): boolean {
    return itemOf(this.#options.synced, keysPath) !== undefined
  }
}
