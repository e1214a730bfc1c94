/** Nodes as real processes: homes in one temporary directory, daemons, and cluster_control beside them. Leaves nothing behind. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { DaemonProcess } from './daemonProcess.js'
import { type AgentPorts, freePort, type NodeHome, writeNodeHome } from './nodeHome.js'
import { sameTree, treeOf, wantedTree } from './treeOf.js'
import { waitFor } from './waitFor.js'

export interface ProcessClusterOptions {
  /** Directory of the compiled programs. */
  readonly programs: string
  /** The first is the master. */
  readonly nodes: readonly string[]
  /** etc/cluster.json of every node. */
  readonly clusterJson?: object
  /** Agents connect to every node: at ports of its own, or all at one port on addresses of their own, as a balancer wants it. */
  readonly hasAgents?: boolean | 'ownAddresses'
}

/** How a program ended. */
export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

const stopMsMax = 6_000

export class ProcessCluster {
  /** Holds all homes. */
  readonly root = mkdtempSync(join(tmpdir(), 'muster-'))
  readonly key = randomBytes(16).toString('hex')
  readonly #options: ProcessClusterOptions
  readonly #daemons = new Map<string, DaemonProcess>()
  readonly #agentPorts = new Map<string, AgentPorts>()
  #port = 0

  constructor(options: ProcessClusterOptions) {
    this.#options = options
  }

  /** Makes the homes, with their configuration and nothing else. */
  async prepare(): Promise<void> {
    this.#port = await freePort()
    const { hasAgents, nodes } = this.#options
    const common = hasAgents === 'ownAddresses' ? await freePort() : undefined
    for (const [index, name] of nodes.entries()) {
      const listener = common === undefined ? { listener: await freePort() } : { listener: common, address: `127.0.0.${index + 2}` }
      if (hasAgents) this.#agentPorts.set(name, { ...listener, enrolment: await freePort() })
      this.configure(name)
    }
  }

  /** Where agents reach a node, in a cluster that has agents. */
  agentPorts(name: string): AgentPorts {
    const ports = this.#agentPorts.get(name)
    if (!ports) throw new Error(`Agents cannot connect to ${name}`)
    return ports
  }

  /** Where the master listens. */
  get port(): number {
    return this.#port
  }

  get controlProgram(): string {
    return join(this.#options.programs, 'cluster_control.js')
  }

  home(name: string): string {
    return join(this.root, name)
  }

  get masterHome(): string {
    return this.home(this.#options.nodes[0] ?? '')
  }

  get workers(): readonly string[] {
    return this.#options.nodes.slice(1)
  }

  /** Rewrites the node's configuration; its daemon reads it at its next start. */
  configure(name: string, given: Partial<Pick<NodeHome, 'key' | 'previousKey' | 'port' | 'clusterBlock' | 'clusterJson'>> = {}): void {
    const type = name === this.#options.nodes[0] ? 'master' : 'worker'
    const { clusterJson } = this.#options
    writeNodeHome({
      home: this.home(name),
      name,
      type,
      port: this.#port,
      key: this.key,
      clusterJson,
      agentPorts: this.#agentPorts.get(name),
      ...given,
    })
  }

  /** Starts the node's daemon; one that was started before must have ended. */
  start(name: string, openFilesMax?: number): DaemonProcess {
    const program = join(this.#options.programs, 'wazuh-clusterd.js')
    const daemon = new DaemonProcess({ program, home: this.home(name), name, openFilesMax })
    this.#daemons.set(name, daemon)
    return daemon
  }

  /** Starts every node that does not run, and resolves when the workers are in. */
  async startAll(): Promise<void> {
    const [master = '', ...workers] = this.#options.nodes
    if (!this.#daemons.get(master)?.isRunning) await this.start(master).logged('Serving on')
    for (const name of workers) if (!this.#daemons.get(name)?.isRunning) this.start(name)
    for (const name of workers) await this.daemon(name).logged('Successfully connected to master')
  }

  daemon(name: string): DaemonProcess {
    const daemon = this.#daemons.get(name)
    if (!daemon) throw new Error(`${name} was not started`)
    return daemon
  }

  get daemons(): readonly DaemonProcess[] {
    return [...this.#daemons.values()]
  }

  /** Resolves with the milliseconds until every worker has exactly the master's files. */
  allTheSame(signal?: AbortSignal): Promise<number> {
    const difference = (): true | string => {
      // Read each time: the master builds its groups' merged files meanwhile.
      const wanted = wantedTree(this.masterHome)
      for (const name of this.workers) {
        const same = sameTree(wanted, treeOf(this.home(name)))
        if (same !== true) return `${name}: ${same}`
      }
      return true
    }
    return waitFor('The same files on every node', difference, { everyMs: 20, signal })
  }

  /** Runs cluster_control on that node. */
  control(name: string, flags: readonly string[]): Promise<Ran> {
    return this.run('cluster_control', name, flags)
  }

  /** Runs one of the programs on that node. */
  run(program: 'cluster_control' | 'agent_control' | 'agent_groups', name: string, flags: readonly string[]): Promise<Ran> {
    return this.#ran(program, ['--home', this.home(name), ...flags])
  }

  /** Runs muster-agents until the signal is aborted, or to its end. */
  agents(flags: readonly string[], signal?: AbortSignal): Promise<Ran> {
    return this.#ran('muster-agents', flags, signal)
  }

  async #ran(program: string, flags: readonly string[], signal?: AbortSignal): Promise<Ran> {
    const file = join(this.#options.programs, `${program}.js`)
    const child = spawn(process.execPath, [file, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    signal?.addEventListener('abort', () => child.kill('SIGTERM'), { once: true })
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), closed])
    return { code, out, err }
  }

  /** Stops the daemons as an operator would, workers first; one that does not end in time is killed. Then the homes are removed. */
  async close(): Promise<void> {
    const overdue = setTimeout(() => this.#killAll(), stopMsMax)
    try {
      for (const daemon of this.daemons.toReversed()) await daemon.stop()
    } finally {
      clearTimeout(overdue)
      rmSync(this.root, { recursive: true, force: true })
    }
  }

  /** For an exit that cannot wait. */
  abandon(): void {
    this.#killAll()
    rmSync(this.root, { recursive: true, force: true })
  }

  #killAll(): void {
    for (const daemon of this.daemons) daemon.killNow()
  }
}
