/**
 * A whole cluster in virtual time: the daemon's own code on a simulated clock, network and disks. Told what to do in the verbs
 * of the physical world; checks the rules (checkers.ts) at every change that a node makes.
 */
import { posix } from 'node:path'
import { type RunningNode, startNode } from '../actors/node.js'
import type { NodeEvent } from '../actors/nodeEvent.js'
import { detectionMsMax, silenceDetectionMsMax } from '../domain/heartbeat.js'
import { defaultSyncedItems, itemOf, type SyncedItems } from '../domain/syncedItems.js'
import { defaultTimings, type Timings } from '../domain/timings.js'
import { limits } from '../limits.js'
import type { Link, Log, LogLevel } from '../ports.js'
import { createTransport } from '../transport/transport.js'
import { checkDiskChange, MasterHistory, MembershipChecker, type Violation } from './checkers.js'
import { type ExpectedTree, expectedTree, readWhole, treeDifferences } from './expectedTree.js'
import { MemoryAgentStore } from './memoryAgentStore.js'
import { MemoryAgentTable } from './memoryAgentTable.js'
import { MemoryDisk } from './memoryDisk.js'
import { SeededRandom } from './seededRandom.js'
import { createSimulatedAgentFiles } from './simulatedAgentFiles.js'
import { createSimulatedFiles } from './simulatedFiles.js'
import { createSimulatedNetwork, type SimulatedNetwork } from './simulatedNetwork.js'
import { Trace } from './trace.js'
import { type ClockView, VirtualClock } from './virtualClock.js'
import { WatchedDisk } from './watchedDisk.js'

export interface SimulatedClusterOptions {
  readonly seed: number
  /** The master and its workers. */
  readonly nodes: number
  readonly synced?: SyncedItems
  readonly timings?: Partial<Timings>
  /** Lines of the trace to keep for a report. */
  readonly linesKept?: number
}

const home = '/var/ossec'
const port = 1516
const clusterName = 'simulated'
const key = '0123456789abcdef0123456789abcdef'

export interface SimulatedNode {
  readonly name: string
  readonly role: 'master' | 'worker'
  readonly clock: ClockView
  readonly disk: MemoryDisk
  /** Its table of agents; like the disk it outlives the process. */
  readonly agentTable: MemoryAgentTable
  /** Its process. */
  running: RunningNode | undefined
  /** Its process's view of the disk. */
  view: WatchedDisk | undefined
  /** When it was last without a process, in milliseconds of the virtual clock. */
  downSinceMs: number
}

export class SimulatedCluster {
  readonly clock = new VirtualClock()
  readonly network: SimulatedNetwork
  readonly trace: Trace
  readonly random: SeededRandom
  readonly nodes: readonly SimulatedNode[]
  readonly synced: SyncedItems
  readonly timings: Timings
  readonly violations: Violation[] = []
  /** Times that a rule was checked. */
  checks = 0
  /** Plans that workers carried out. */
  syncs = 0
  readonly #history = new MasterHistory()
  readonly #members = new MembershipChecker()
  #starts = 0

  constructor(options: SimulatedClusterOptions) {
    this.random = new SeededRandom(options.seed)
    this.trace = new Trace(options.linesKept)
    this.network = createSimulatedNetwork({ clock: this.clock, random: this.random.fork('network'), trace: this.trace })
    this.synced = options.synced ?? defaultSyncedItems
    this.timings = { ...defaultTimings, ...options.timings }
    this.nodes = Array.from({ length: options.nodes }, (_, index) => this.#build(index))
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
    const {
      checkLastKeepAliveMs,
      connectionRetryMs,
      failedKeepAlivesMax,
      keepAliveMs,
      recalculateIntegrityMs,
      requestTimeoutMs,
      silenceMsMax,
      syncIntegrityMs,
    } = this.timings
    const lossMs = Math.max(
      detectionMsMax({ intervalMs: keepAliveMs, answerMsMax: requestTimeoutMs, missedBeatsMax: failedKeepAlivesMax }),
      silenceDetectionMsMax({ checkIntervalMs: checkLastKeepAliveMs, silenceMsMax }),
    )
    return (
      lossMs +
      this.timings.transferIdleMsMax +
      3 * connectionRetryMs +
      4 * (syncIntegrityMs + recalculateIntegrityMs) +
      3 * requestTimeoutMs
    )
  }

  startAll(): void {
    for (const node of this.nodes) this.start(node.name)
  }

  start(name: string): void {
    const node = this.node(name)
    if (node.running) return
    this.network.boot(name)
    const log = this.#log(name, {})
    const random = this.random.fork(`${name} ${++this.#starts}`)
    const stageDir = posix.join(home, 'queue', 'cluster', name)
    const rules = { node: name, role: node.role, home, stageDir, synced: this.synced, disk: node.disk, history: this.#history }
    const watched = new WatchedDisk(node.disk, (change) => {
      this.checks += 1
      const broken = checkDiskChange(rules, change)
      if (broken) this.violated(broken.rule, broken.says)
    })
    node.view = watched
    node.running = startNode(
      {
        cluster: clusterName,
        node: name,
        type: node.role,
        version: '1.0.0',
        managerName: name,
        master: { host: 'master', port },
        address: 'master',
        synced: this.synced,
        timings: this.timings,
        compression: 'auto',
      },
      {
        clock: node.clock,
        random,
        log,
        transport: createTransport({
          network: this.network.network(name),
          clock: node.clock,
          random,
          keys: { current: key },
          limits: { streamIdleMsMax: this.timings.transferIdleMsMax },
        }),
        agentStore: new MemoryAgentStore(node.agentTable, node.clock),
        agentFiles: createSimulatedAgentFiles(watched, node.clock, { home, role: node.role, managerName: name, synced: this.synced }),
        files: createSimulatedFiles(watched, node.clock, { home, synced: this.synced, role: node.role, stageDir, changes: watched }),
      },
      (event) => this.#onEvent(name, event),
    )
  }

  /** A link to the master of somebody who has the key but is none of the nodes: to see what such a peer can do. */
  dialAs(name: string): Promise<Link> {
    const network = this.network.network(name)
    const transport = createTransport({ network, clock: this.clock, random: this.random.fork(name), keys: { current: key } })
    const hello = { cluster: clusterName, node: name, type: 'worker' as const, instance: name, version: '1.0.0', capabilities: [] }
    return transport.dial({ host: 'master', port }, hello, new AbortController().signal)
  }

  /** The process is gone. `power`: so is what was not synced to the disk, and peers are told nothing. */
  crash(name: string, what: 'process' | 'power'): void {
    const node = this.node(name)
    if (!node.running) return
    node.running = undefined
    node.downSinceMs = this.clock.monotonicMs()
    node.view?.abandon()
    this.network.crash(name, what)
    node.clock.cancelAll()
    if (what === 'power') node.disk.crash()
    else node.disk.killProcess()
    if (node.role === 'master') this.#members.forget()
    this.trace.add(this.clock.monotonicMs(), name, `crash ${what}`)
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

  /** Ends every fault that lasts: all nodes run, all disks and wires work. Clocks stay as wrong as they are. */
  heal(): void {
    this.network.heal()
    for (const node of this.nodes) {
      if (node.clock.isFrozen) node.clock.thaw()
      node.disk.heal()
      this.start(node.name)
    }
  }

  /** Stops every node as SIGTERM would; afterwards nothing may be left. */
  async stopAll(): Promise<void> {
    const running = this.nodes.flatMap((node) => (node.running ? [node.running] : []))
    for (const node of this.nodes) node.running = undefined
    const stopped = Promise.all(running.map((node) => node.stop()))
    let isStopped = false
    void stopped.then(() => {
      isStopped = true
    })
    await this.clock.runUntil(() => isStopped, limits.stopMsMax)
    // Goodbyes under way arrive, half-closed connections close.
    await this.clock.advance(limits.stopMsMax)
    this.#checkNothingLeft()
  }

  /** An operator writes a file, with all that is needed above it. */
  write(name: string, path: string, content: Buffer, mode = 0o660): void {
    const node = this.node(name)
    if (node.role === 'master') this.#history.note(content)
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
    while (this.clock.monotonicMs() < endMs) {
      await this.clock.advance(1_000)
      if (this.differences().length === 0) return
    }
    const differences = this.differences()
    if (differences.length > 0)
      this.violated(`a healed cluster converges within ${this.convergenceMsMax / 1_000} s`, differences.slice(0, 5).join('; '))
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
      this.checks += 1
      if (this.isMember(name)) this.violated('a dead worker leaves the registry within its bound', `${name} is still in`)
    }
  }

  isMember(name: string): boolean {
    return this.#members.has(name)
  }

  #build(index: number): SimulatedNode {
    const name = index === 0 ? 'master' : `w${index}`
    const clock = this.clock.view()
    const disk = new MemoryDisk({ now: () => clock.now() })
    for (const item of this.synced.items) disk.makeDirectories(posix.join(home, item.dir))
    disk.makeDirectories(posix.join(home, 'queue', 'cluster', name))
    disk.edit(posix.join(home, 'etc', 'ossec.conf'), Buffer.from(`<!-- of ${name} -->`), 0o640)
    const role = index === 0 ? 'master' : 'worker'
    const agentTable = new MemoryAgentTable(role, `table of ${name}`)
    return { name, role, clock, disk, agentTable, running: undefined, view: undefined, downSinceMs: 0 }
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
    if (event.type === 'workerJoined' || event.type === 'workerLeft') this.checks += 1
    if (wrong) this.violated('names are unique', wrong)
  }

  #checkNothingLeft(): void {
    this.checks += 1
    const left = this.network.counters()
    for (const [what, count] of Object.entries(left)) if (count !== 0) this.violated('nothing is left after a stop', `${count} ${what}`)
    for (const node of this.nodes) {
      if (node.clock.pending !== 0) this.violated('nothing is left after a stop', `${node.clock.pending} timers of ${node.name}`)
      const open = node.disk.openFiles
      if (open !== 0) this.violated('nothing is left after a stop', `${open} open files of ${node.name}`)
      const conf = readWhole(node.disk, posix.join(home, 'etc', 'ossec.conf')).toString()
      if (conf !== `<!-- of ${node.name} -->`)
        this.violated('nothing outside the synced items is ever touched', `etc/ossec.conf of ${node.name}`)
    }
  }

  #log(name: string, place: { tag?: string; subtag?: string }): Log {
    const add = (level: LogLevel) => (message: string) =>
      this.trace.add(this.clock.monotonicMs(), `${name}/${place.tag ?? ''}/${place.subtag ?? ''}`, `${level} ${message}`)
    return {
      error: add('error'),
      warning: add('warning'),
      info: add('info'),
      debug: add('debug'),
      debug2: add('debug2'),
      at: (next) => this.#log(name, { ...place, ...next }),
    }
  }

  /** Whether the path is one that cluster members keep the same. */
  isSynced(path: string): boolean {
    return itemOf(this.synced, path) !== undefined
  }
}
