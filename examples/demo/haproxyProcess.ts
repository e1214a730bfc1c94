/** A HAProxy of Debian as a child process, with a runtime socket, in a directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { waitFor } from './waitFor.js'

/** The socket is there a moment before it is listened to. */
const answers = (socket: string): Promise<boolean> =>
  new Promise((resolve) => {
    const connection = connect(socket)
    connection.once('error', () => resolve(false))
    connection.once('connect', () => {
      connection.destroy()
      resolve(true)
    })
  })

export class HaproxyProcess {
  readonly #directory = mkdtempSync(join(tmpdir(), 'muster-haproxy-'))
  readonly socket = join(this.#directory, 'haproxy.sock')
  readonly #file = join(this.#directory, 'haproxy.cfg')
  #child: ChildProcess | undefined
  #says = ''

  /** @param configuration without the runtime socket */
  constructor(configuration: string) {
    writeFileSync(this.#file, `global\n    stats socket ${this.socket} mode 600 level admin\n${configuration}`)
  }

  /** Resolves when it listens; also after `kill`, as a new process that knows nothing of the old one. */
  async start(): Promise<void> {
    rmSync(this.socket, { force: true })
    const child = spawn('haproxy', ['-db', '-f', this.#file], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    for (const output of [child.stdout, child.stderr])
      output.on('data', (bytes: Buffer) => {
        this.#says += bytes.toString()
      })
    await waitFor('HAProxy runs', () => {
      if (child.exitCode !== null) throw new Error(`HAProxy ended: ${this.#says}`)
      return answers(this.socket)
    })
  }

  /** The same for as long as it runs: a reload would be another process. */
  get pid(): number {
    return this.#child?.pid ?? -1
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL')
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM')
    rmSync(this.#directory, { recursive: true, force: true })
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const closed = once(child, 'close')
    child.kill(signal)
    await closed
  }
}
