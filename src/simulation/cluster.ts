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
import { silenceDetectionMsMax } from '../domain/cluster/heartbeat.js'
import { defaultTimings, type Timings } from '../domain/cluster/timings.js'
import { defaultSyncedItems, itemOf, type SyncedItems } from '../domain/files/syncedItems.js'
import type { Link } from '../ports/link.js'
import { SimulatedBalancer } from './network/simulatedBalancer.js'
import { createSimulatedNetwork, type SimulatedNetwork } from './network/simulatedNetwork.js'
import { AgentRules } from './rules/agentRules.js'
import { balanceDifferences } from './rules/balancedServers.js'
import { checkDiskChange, MasterHistory, MembershipChecker, type Violation } from './rules/checkers.js'
import { convergenceMsMax } from './rules/convergenceBound.js'
import { type ExpectedTree, expectedTree, treeDifferences } from './rules/expectedTree.js'
import { keysPath, SimulatedAgents } from './simulatedAgents.js'
import { fleetHost, SimulatedFleet } from './simulatedFleet.js'
import { agentsPort, SimulatedFronts } from './simulatedFronts.js'
import { createSimulatedNode, leftBy, type SimulatedNode } from './simulatedNode.js'
import { dialMasterAs, simulatedHome, stageDirOf, startProcess } from './simulatedProcess.js'
import { SeededRandom } from './world/seededRandom.js'
import { Trace } from './world/trace.js'
import { tracingLog } from './world/tracingLog.js'
import { VirtualClock } from './world/virtualClock.js'
import { WatchedDisk } from './world/watchedDisk.js'

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

/** Host of the network that the load balancer is. */
export const balancerHost = 'balancer'
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
  readonly history = new MasterHistory()
  readonly agents = new SimulatedAgents(this)
  /** Undefined: no agents speak the real protocol, and nodes have no listener. */
  readonly fleet: SimulatedFleet | undefined
  /** Undefined: agents go to the nodes themselves. */
  readonly balancer: SimulatedBalancer | undefined
  readonly balancing: BalancingOptions
  readonly #members = new MembershipChecker()
  readonly #agentRules: AgentRules
  readonly #manager: Manager
  readonly #enrolmentRules: EnrolmentRules
  readonly #keepsDebug2: boolean
  #starts = 0
  #checks = 0

  constructor(options: SimulatedClusterOptions) {
    this.random = new SeededRandom(options.seed)
    this.trace = new Trace(options.linesKept)
    this.network = createSimulatedNetwork({ clock: this.clock, random: this.random.fork('network'), trace: this.trace })
    this.#manager = options.manager ?? 'none'
    this.#enrolmentRules = options.enrolmentRules ?? defaultEnrolmentRules
    this.#keepsDebug2 = options.keepsDebug2 ?? false
    this.synced = options.synced ?? defaultSyncedItems
    this.timings = { ...defaultTimings, ...options.timings }
    const { tls } = options
    this.nodes = Array.from({ length: options.nodes }, (_, index) =>
      createSimulatedNode({ index, time: this.clock, synced: this.synced, home, tls }),
    )
    this.#agentRules = new AgentRules({
      nodes: this.nodes,
      agents: this.agents,
      disconnectionMs: this.timings.agentsDisconnectionMs,
      keysPath: this.absolute(keysPath),
      masterHas: (path) => this.treeOf('master').files.has(path),
      violated: (rule, says) => this.violated(rule, says),
    })
    this.balancing = { ...defaultBalancing, ...options.balancing }
    this.balancer = options.balancing ? this.#balancerOf() : undefined
    this.fleet = options.agents ? this.#fleetOf(options.agents) : undefined
  }

  #balancerOf(): SimulatedBalancer {
    return new SimulatedBalancer({
      network: this.network.network(balancerHost),
      clock: this.clock,
      agentsPort,
      note: (event) => this.trace.add(this.clock.monotonicMs(), balancerHost, event),
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
    return this.#checks + this.#agentRules.checks + (this.fleet?.checks ?? 0)
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
    return convergenceMsMax(this.timings)
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
    const random = this.random.fork(`${name} ${++this.#starts}`)
    const { disk, role } = node
    node.fronts = this.fleet && this.#frontsOf(node, random)
    const balancer = role === 'master' ? this.balancer?.port(node.clock) : undefined
    const rules = { node: name, role, manager: this.#manager, home, stageDir: stageDirOf(name), synced, disk, history: this.history }
    const view = new WatchedDisk(disk, (change) => {
      this.#checks += 1
      const broken = checkDiskChange(rules, change)
      if (broken) this.violated(broken.rule, broken.says)
    })
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
    if (what === 'power') node.disk.crash()
    else node.disk.killProcess()
    if (node.role === 'master') this.#members.forget()
    this.agents.gone(name)
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
    if (ms !== 0) this.agents.clockSet(node)
  }

  /** Ends every fault that lasts: all nodes run, all disks and wires work, agents are silent. Clocks stay as wrong as they are. */
  heal(): void {
    this.agents.rest()
    this.network.heal()
    this.balancer?.heal()
    for (const node of this.nodes) {
      if (node.clock.isFrozen) node.clock.thaw()
      node.disk.heal()
      node.agentTable.isLocked = false
      this.start(node.name)
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
    this.#checkNothingLeft()
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
    const master = this.treeOf('master')
    return this.workers.flatMap((worker) => treeDifferences(master, this.treeOf(worker.name)).map((says) => `${worker.name}: ${says}`))
  }

  /** Lets time pass until all workers have the master's files; a violation when that takes longer than the bound. */
  async converge(): Promise<void> {
    const startMs = this.clock.monotonicMs()
    const endMs = startMs + this.convergenceMsMax
    const owed = this.#agentRules.owed()
    let differences: readonly string[] = []
    do {
      await this.clock.advance(1_000)
      differences = [...this.differences(), ...this.agentDifferences(owed), ...(this.fleet?.differences() ?? [])]
    } while (differences.length > 0 && this.clock.monotonicMs() < endMs)
    if (differences.length > 0)
      this.violated(`a healed cluster converges within ${this.convergenceMsMax / 1_000} s`, differences.slice(0, 5).join('; '))
    else if (this.isSynced(keysPath)) this.#agentRules.settled(this.master.clock.now())
  }

  /** Where the nodes do not agree on the agents and their groups, or the master lacks updates about them. */
  agentDifferences(owed?: ReadonlyMap<string, number>): string[] {
    return this.isSynced(keysPath) ? this.#agentRules.differences(owed) : []
  }

  /** Where the balancer does not have what it should; it must, within a bound after the cluster has converged. */
  balanceDifferences(): readonly string[] {
    const connected = this.nodes.filter(({ name, role, running }) => running && (role === 'master' || this.isMember(name)))
    const names = connected.map(({ name }) => name)
    return this.balancer ? balanceDifferences(this.balancer.servers(), names, this.balancing) : []
  }

  note(event: string): void {
    this.trace.add(this.clock.monotonicMs(), 'agents', event)
  }

  violated(rule: string, says: string): void {
    this.violations.push({ atMs: this.clock.monotonicMs(), rule, says })
    this.trace.add(this.clock.monotonicMs(), 'checker', `VIOLATED ${rule}: ${says}`)
  }

  /** The registry knows no worker that has been without a process for longer than the keep-alive's bound. */
  checkDeadWorkers(): void {
    const { checkLastKeepAliveMs, silenceMsMax } = this.timings
    const boundMs = silenceDetectionMsMax({ checkIntervalMs: checkLastKeepAliveMs, silenceMsMax })
    for (const { downSinceMs, name, running } of this.workers) {
      if (running || this.clock.monotonicMs() - downSinceMs <= boundMs) continue
      // A master that was frozen, or started only now, has had less time to notice.
      if (!this.master.running || this.master.clock.isFrozen) continue
      this.#checks += 1
      if (this.isMember(name)) this.violated('a dead worker leaves the registry within its bound', `${name} is still in`)
    }
  }

  isMember(name: string): boolean {
    return this.#members.has(name)
  }

  #onEvent(name: string, event: NodeEvent): void {
    this.trace.add(this.clock.monotonicMs(), name, `event ${event.type}`)
    if (event.type === 'applied') this.syncs += 1
    if (event.type === 'failed') this.violated('a node never fails', `${name}: ${event.error.message}`)
    const wrong =
      event.type === 'workerJoined'
        ? this.#members.joined(event.node)
        : event.type === 'workerLeft'
          ? this.#members.left(event.node)
          : undefined
    if (event.type === 'workerJoined' || event.type === 'workerLeft') this.#checks += 1
    if (wrong) this.violated('names are unique', wrong)
  }

  #checkNothingLeft(): void {
    this.#checks += 1
    const left = this.network.counters()
    for (const [what, count] of Object.entries(left)) if (count !== 0) this.violated('nothing is left after a stop', `${count} ${what}`)
    for (const node of this.nodes) for (const [rule, says] of leftBy(node, home)) this.violated(rule, says)
  }

  /** Whether the path is one that cluster members keep the same. */
  isSynced(path: string): boolean {
    return itemOf(this.synced, path) !== undefined
  }
}
