/**
 * A whole cluster in virtual time: the daemon's own code on a simulated clock, network and disks. Driven by the verbs
 * of the physical world; checks the rules (checkers.ts) at every change that a node makes.
 * README.md beside this file is the map of the simulation.
 */
import { posix } from 'node:path'
import type { NodeEvent } from '../actors/nodeEvent.js'
import { limits } from '../base/limits.js'
import type { Manager } from '../domain/agents/leftToManager.js'
import { defaultEnrolmentRules, type EnrolmentRules } from '../domain/agents/replacement.js'
import { type BalancingOptions, defaultBalancing } from '../domain/balancer/balancingOptions.js'
import { defaultTimings, type Timings } from '../domain/cluster/timings.js'
import { defaultSyncedItems, itemOf, type SyncedItems } from '../domain/files/syncedItems.js'
import type { Link } from '../ports/link.js'
import { ManagedAgents } from './manager/managedAgents.js'
import { balancerHost, SimulatedBalancer } from './network/simulatedBalancer.js'
import { createSimulatedNetwork, type SimulatedNetwork } from './network/simulatedNetwork.js'
import type { MasterHistory, Violation } from './rules/checkers.js'
import { ClusterRules } from './rules/clusterRules.js'
import { type ExpectedTree, expectedTree } from './rules/expectedTree.js'
import { HealedCluster } from './rules/healedCluster.js'
import { keysPath, SimulatedAgents } from './simulatedAgents.js'
import { fleetHost, SimulatedFleet } from './simulatedFleet.js'
import { agentsPort, SimulatedFronts } from './simulatedFronts.js'
import { certificateTexts, createSimulatedNode, type SimulatedNode } from './simulatedNode.js'
import { SimulatedOperators } from './simulatedOperators.js'
import { dialMasterAs, simulatedHome, startProcess } from './simulatedProcess.js'
import { SeededRandom } from './world/seededRandom.js'
import { Trace } from './world/trace.js'
import { tracingLog } from './world/tracingLog.js'
import { VirtualClock } from './world/virtualClock.js'

export interface SimulatedClusterOptions {
  readonly seed: number
  /** The master and its workers. */
  readonly nodes: number
  readonly synced?: SyncedItems
  readonly timings?: Partial<Timings>
  /** `wazuh`: the programs of a real manager run beside each node. */
  readonly manager?: Manager
  /** The master's; Wazuh's defaults when left out. */
  readonly enrolmentRules?: EnrolmentRules
  /** Agents that speak the real protocol with listeners of the nodes. */
  readonly agents?: number
  /** Agents come by way of a load balancer that the master drives like this. */
  readonly balancing?: Partial<BalancingOptions>
  /** Nodes show certificates to each other. */
  readonly tls?: boolean
  /** Lines of the trace to keep for a report. */
  readonly linesKept?: number
  /** Whether each message of a link is in the trace. */
  readonly keepsDebug2?: boolean
}

const home = simulatedHome

export class SimulatedCluster {
  readonly clock = new VirtualClock()
  readonly network: SimulatedNetwork
  readonly trace: Trace
  readonly random: SeededRandom
  readonly nodes: readonly SimulatedNode[]
  readonly synced: SyncedItems
  readonly timings: Timings
  readonly violations: Violation[] = []
  /** Plans that workers carried out. */
  syncs = 0
  readonly agents = new SimulatedAgents(this)
  readonly operators = new SimulatedOperators(this)
  /** In place of `agents` where the agents are those of real managers. */
  readonly managed: ManagedAgents | undefined
  /** Undefined: no agents speak the real protocol, and nodes have no listener. */
  readonly fleet: SimulatedFleet | undefined
  /** Undefined: agents go to the nodes themselves. */
  readonly balancer: SimulatedBalancer | undefined
  readonly balancing: BalancingOptions
  readonly #rules: ClusterRules
  readonly #healed: HealedCluster
  readonly #manager: Manager
  readonly #enrolmentRules: EnrolmentRules
  readonly #keepsDebug2: boolean
  #starts = 0

  constructor(options: SimulatedClusterOptions) {
    this.random = new SeededRandom(options.seed)
    this.trace = new Trace(options.linesKept)
    this.network = createSimulatedNetwork({ clock: this.clock, random: this.random.fork('network'), trace: this.trace })
    this.#manager = options.manager ?? 'none'
    this.#enrolmentRules = options.enrolmentRules ?? defaultEnrolmentRules
    this.#keepsDebug2 = options.keepsDebug2 ?? false
    this.synced = options.synced ?? defaultSyncedItems
    this.timings = { ...defaultTimings, ...options.timings }
    this.managed = this.#manager === 'wazuh' ? new ManagedAgents(this) : undefined
    this.nodes = this.#createNodes(options)
    const { managed } = this
    const daemons = this.master.manager?.daemons
    if (managed && daemons) daemons.answer = (daemon, message) => managed.answer(daemon, message)
    this.#rules = new ClusterRules({
      ...{ clock: this.clock, nodes: this.nodes, synced: this.synced, timings: this.timings, manager: this.#manager, home },
      violated: (rule, says) => this.violated(rule, says),
    })
    this.balancing = { ...defaultBalancing, ...options.balancing }
    this.balancer = options.balancing ? this.#balancerOf() : undefined
    this.fleet = options.agents ? this.#fleetOf(options.agents) : undefined
    const { agents, balancer, balancing, clock, fleet, master, operators, synced, timings, workers } = this
    this.#healed = new HealedCluster({
      ...{ agents, balancer, balancing, clock, fleet, home, managed, master, operators, synced, timings, workers },
      isMember: (name) => this.isMember(name),
      violated: (rule, says) => this.violated(rule, says),
    })
  }

  #createNodes({ nodes, tls }: SimulatedClusterOptions): readonly SimulatedNode[] {
    const { clock: time, managed, random, synced, timings } = this
    return Array.from({ length: nodes }, (_, index) => {
      const manager = managed && {
        random: random.fork(`manager ${index}`),
        disconnectionMs: timings.agentsDisconnectionMs,
        onGone: (id: number, node: string) => managed.wasTakenForGone(id, node),
        onWritten: (content: Buffer) => this.history.note(content),
      }
      return createSimulatedNode({ index, time, synced, home, tls, manager })
    })
  }

  #balancerOf(): SimulatedBalancer {
    return new SimulatedBalancer({
      network: this.network.network(balancerHost),
      clock: this.clock,
      agentsPort,
      note: (event) => this.trace.add(this.clock.monotonicMs(), balancerHost, event),
      violated: (rule, says) => this.violated(rule, says),
    })
  }

  #fleetOf(agents: number): SimulatedFleet {
    return new SimulatedFleet({
      agents,
      clock: this.clock,
      random: this.random.fork('fleet'),
      network: this.network.network(fleetHost),
      nodes: this.nodes,
      ...(this.balancer && { reachedBy: balancerHost }),
      home,
      enrolled: this.agents.enrolled,
      keysPath: this.absolute(keysPath),
      violated: (rule, says) => this.violated(rule, says),
      note: (event) => this.note(event),
    })
  }

  /** Times that a rule was checked. */
  get checks(): number {
    return this.#rules.checks + this.#healed.checks
  }

  /** Every content that the master ever had. */
  get history(): MasterHistory {
    return this.#rules.history
  }

  get master(): SimulatedNode {
    return this.node('master')
  }

  get workers(): readonly SimulatedNode[] {
    return this.nodes.slice(1)
  }

  node(name: string): SimulatedNode {
    const node = this.nodes.find((candidate) => candidate.name === name)
    if (!node) throw new RangeError(`There is no node named '${name}'`)
    return node
  }

  /** The bound, in milliseconds, within which a healed cluster must have the same files everywhere. */
  get convergenceMsMax(): number {
    return this.#healed.convergenceMsMax
  }

  startAll(): void {
    void this.balancer?.start()
    for (const node of this.nodes) this.start(node.name)
  }

  /** @param synced of a node with another cluster.json than the others */
  start(name: string, synced = this.synced): void {
    const node = this.node(name)
    node.startsAgain = node.isStopping
    if (node.running) return
    this.network.boot(name)
    node.manager?.start()
    const random = this.random.fork(`${name} ${++this.#starts}`)
    node.fronts = this.fleet && this.#frontsOf(node, random)
    const balancer = node.role === 'master' ? this.balancer?.port(node.clock) : undefined
    const view = this.#rules.watch(node, synced)
    node.view = view
    node.running = startProcess(
      node,
      {
        ...{ enrolmentRules: this.#enrolmentRules, manager: this.#manager, timings: this.timings, network: this.network },
        ...{ synced, random, disk: view, fronts: node.fronts },
        log: tracingLog(this.trace, this.clock, name, this.#keepsDebug2),
        balancer: balancer && { port: balancer, balancing: this.balancing },
      },
      (event) => this.#onEvent(name, event),
    )
  }

  #frontsOf(node: SimulatedNode, random: SeededRandom): SimulatedFronts {
    const { clock, disk, name } = node
    const fronts = new SimulatedFronts({
      ...{ node: name, clock, disk, home },
      random: random.fork('fronts'),
      network: this.network.network(name),
      violated: (rule, says) => this.violated(rule, says),
    })
    this.fleet?.processBegan(node, fronts)
    return fronts
  }

  /** A link to the master from a peer that has the key but is not one of the nodes: to see what it can do. */
  dialAs(name: string): Promise<Link> {
    return dialMasterAs(name, this.network, this.clock, this.random.fork(name))
  }

  /** The process is gone. `power`: so is what was not synced to the disk, and peers are not informed. */
  crash(name: string, what: 'process' | 'power'): void {
    const node = this.node(name)
    if (!node.running) return
    this.fleet?.processEnds(node)
    node.running = undefined
    node.fronts = undefined
    node.isStopping = false
    node.downSinceMs = this.clock.monotonicMs()
    node.view?.abandon()
    this.network.crash(name, what)
    // Its timers go with it, and so do the calls that wait for its table: what was answered is in there.
    node.clock.cancelAll()
    if (what === 'process') node.disk.killProcess()
    else {
      node.disk.crash()
      node.manager?.losePower()
      this.managed?.killed(name)
    }
    this.#rules.gone(node)
    this.agents.gone(name)
    this.operators.gone(name)
    this.trace.add(this.clock.monotonicMs(), name, `crash ${what}`)
  }

  /** The process ends as by SIGTERM, which takes a while; a start meanwhile is one after that. */
  stop(name: string): void {
    const node = this.node(name)
    const { running } = node
    if (!running || node.isStopping) return
    node.isStopping = true
    this.trace.add(this.clock.monotonicMs(), name, 'stop')
    void running.stop().then(() => {
      // It was killed while it stopped.
      if (node.running !== running) return
      this.crash(name, 'process')
      if (node.startsAgain) this.start(name)
    })
  }

  /** The process stands still (SIGSTOP), and later goes on. */
  freeze(name: string): void {
    this.node(name).clock.freeze()
    this.network.freeze(name)
  }

  thaw(name: string): void {
    this.node(name).clock.thaw()
    this.network.thaw(name)
  }

  /** An operator or a time server sets a node's wall clock. */
  jumpClock(name: string, ms: number): void {
    const node = this.node(name)
    node.clock.jump(ms)
    if (ms === 0) return
    this.agents.clockSet(node)
    this.managed?.clockSet(name)
  }

  /** Its files hold another certificate. @param validMs for how long; when left out for ever */
  certify(name: string, validMs?: number): void {
    const { certificates, clock } = this.node(name)
    if (!certificates) return
    certificates.files = certificateTexts(name, validMs === undefined ? undefined : { startsMs: 0, endsMs: clock.now() + validMs })
    if (validMs === undefined) return
    // The links that are up were made with the one before.
    const remake = (): void => {
      for (const other of this.nodes) if (other.name !== name) this.network.reset(name, other.name)
    }
    this.clock.setTimeout(remake, limits.certificatesCheckMs)
  }

  /** Ends every fault that lasts: all nodes run, all disks and wires work, agents are silent. Clocks stay as wrong as they are. */
  heal(): void {
    this.agents.rest()
    this.managed?.rest()
    this.network.heal()
    this.balancer?.heal()
    for (const node of this.nodes) {
      if (node.clock.isFrozen) node.clock.thaw()
      node.disk.heal()
      node.agentTable.isLocked = false
      this.certify(node.name)
      this.start(node.name)
      node.manager?.heal()
    }
  }

  /** Stops every node as SIGTERM would; afterwards nothing may be left. */
  async stopAll(): Promise<void> {
    await this.fleet?.end(this.violations.length === 0)
    await this.clock.runUntil(() => !this.nodes.some(({ isStopping }) => isStopping), limits.stopMsMax)
    const running = this.nodes.flatMap((node) => (node.running ? [node.running] : []))
    for (const node of this.nodes) node.running = undefined
    const stopped = Promise.all(running.map((node) => node.stop()))
    let isStopped = false
    void stopped.then(() => {
      isStopped = true
    })
    await this.clock.runUntil(() => isStopped, limits.stopMsMax)
    await this.balancer?.stop()
    // Goodbyes under way arrive, half-closed connections close.
    await this.clock.advance(limits.stopMsMax)
    this.#rules.checkNothingLeft(this.network.counters())
  }

  /** An operator writes a file, with all that is needed above it. */
  write(name: string, path: string, content: Buffer, mode = 0o660): void {
    const node = this.node(name)
    if (node.role === 'master') this.history.note(content)
    if (node.role === 'master' && path === keysPath)
      for (const line of content.toString().split('\n')) this.agents.enrolled.written(line.split(' ')[1] ?? '')
    const whole = posix.join(home, path)
    node.disk.edit(whole, content, mode)
  }

  absolute(path: string): string {
    return posix.join(home, path)
  }

  /** What an operator sees in the synced directories of a node. */
  treeOf(name: string): ExpectedTree {
    const node = this.node(name)
    return expectedTree(node.disk, home, this.synced, node.role)
  }

  /** Where the workers' files are not the master's. */
  differences(): string[] {
    return this.#healed.differences()
  }

  /** Lets time pass until all workers have the master's files; a violation when that takes longer than the bound. */
  converge(): Promise<void> {
    return this.#healed.converge()
  }

  /** Where the balancer does not have what it should; it must, within a bound after the cluster has converged. */
  balanceDifferences(): readonly string[] {
    return this.#healed.balanceDifferences()
  }

  /** After `heal`: lets time pass until all that operators, files and agents need has come of it; violations where it takes too long. */
  async settle(): Promise<void> {
    for (const step of ['settleStates', 'converge', 'balance'] as const) if (this.violations.length === 0) await this.#healed[step]()
  }

  note(event: string): void {
    this.trace.add(this.clock.monotonicMs(), 'agents', event)
  }

  violated(rule: string, says: string): void {
    this.violations.push({ atMs: this.clock.monotonicMs(), rule, says })
    this.trace.add(this.clock.monotonicMs(), 'checker', `VIOLATED ${rule}: ${says}`)
  }

  /** What has to hold now and then. */
  checkNow(): void {
    this.#rules.checkNow()
  }

  isMember(name: string): boolean {
    return this.#rules.isMember(name)
  }

  #onEvent(name: string, event: NodeEvent): void {
    this.trace.add(this.clock.monotonicMs(), name, `event ${event.type}`)
    if (event.type === 'applied') this.syncs += 1
    this.#rules.happened(name, event)
  }

  /** Whether the path is one that cluster members keep the same. */
  isSynced(path: string): boolean {
    return itemOf(this.synced, path) !== undefined
  }
}
