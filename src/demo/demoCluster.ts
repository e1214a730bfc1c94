/** The demo's three nodes: homes in a temporary directory, real daemons, and the real cluster_control. Leaves nothing behind. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { DaemonProcess } from './daemonProcess.js'
import { freePort, writeNodeHome } from './nodeHome.js'

export const workerNames = ['worker-1', 'worker-2'] as const
export type NodeName = 'master' | (typeof workerNames)[number]
const nodeNames: readonly NodeName[] = ['master', ...workerNames]

const programs = fileURLToPath(new URL('../cli/', import.meta.url))
export const controlProgram = join(programs, 'cluster_control.js')

/** The defaults would do; these let `-i` show a keep-alive and a mended file come back while one looks on. */
const clusterJson = { intervals: { worker: { keep_alive: 1, sync_integrity: 2 } } }

export class DemoCluster {
  /** Holds all homes. */
  readonly root = mkdtempSync(join(tmpdir(), 'muster-demo-'))
  readonly #daemons = new Map<NodeName, DaemonProcess>()

  /** Makes the homes, with their configuration and nothing else. */
  async prepare(): Promise<number> {
    const port = await freePort()
    const key = randomBytes(16).toString('hex')
    for (const name of nodeNames)
      writeNodeHome({ home: this.home(name), name, type: name === 'master' ? 'master' : 'worker', port, key, clusterJson })
    return port
  }

  home(name: NodeName): string {
    return join(this.root, name)
  }

  start(name: NodeName): DaemonProcess {
    const daemon = new DaemonProcess({ program: join(programs, 'wazuh-clusterd.js'), home: this.home(name), name })
    this.#daemons.set(name, daemon)
    return daemon
  }

  daemon(name: NodeName): DaemonProcess {
    const daemon = this.#daemons.get(name)
    if (!daemon) throw new Error(`${name} was not started`)
    return daemon
  }

  get daemons(): readonly DaemonProcess[] {
    return [...this.#daemons.values()]
  }

  /** What cluster_control prints on that node. Fails when its exit code is not 0. */
  async control(name: NodeName, flags: readonly string[]): Promise<string> {
    const child = spawn(process.execPath, [controlProgram, '--home', this.home(name), ...flags], { stdio: ['ignore', 'pipe', 'pipe'] })
    const closed = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), closed])
    if (code !== 0) throw new Error(`cluster_control ${flags.join(' ')} on ${name} ended with ${code}: ${err.trim()}`)
    return out
  }

  /** Stops the daemons as an operator would, workers first; one that does not end in time is killed. Then the homes are removed. */
  async close(): Promise<void> {
    const stopMsMax = 6_000
    const overdue = setTimeout(() => this.killAll(), stopMsMax)
    try {
      for (const daemon of this.daemons.toReversed()) await daemon.stop()
    } finally {
      clearTimeout(overdue)
      rmSync(this.root, { recursive: true, force: true })
    }
  }

  killAll(): void {
    for (const daemon of this.daemons) daemon.killNow()
  }

  /** For an exit that cannot wait. */
  abandon(): void {
    this.killAll()
    rmSync(this.root, { recursive: true, force: true })
  }
}
