/** A wazuh-clusterd in the foreground, as a child process: its log lines to wait for, its end, and the ways to end it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface DaemonStart {
  /** The compiled wazuh-clusterd.js. */
  readonly program: string
  readonly home: string
  readonly name: string
  /** In addition to `-f -r --home HOME`. */
  readonly flags?: readonly string[]
  /** How many files and sockets it may have open; as many as this process when left out. */
  readonly openFilesMax?: number | undefined
}

export interface DaemonEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

interface Waiter {
  readonly sees: (line: string) => boolean
  readonly done: (line: string) => void
  readonly failed: (error: Error) => void
}

const deadlineMsDefault = 20_000
const lastLinesShown = 15

export class DaemonProcess {
  readonly name: string
  readonly home: string
  /** Everything that it logged or wrote to stderr, in order. */
  readonly lines: string[] = []
  /** Resolves when the process is gone and its output is read. */
  readonly ended: Promise<DaemonEnd>
  readonly #child: ChildProcess
  readonly #waiters = new Set<Waiter>()
  #end: DaemonEnd | undefined

  constructor({ program, home, name, flags = [], openFilesMax }: DaemonStart) {
    this.name = name
    this.home = home
    // By its first line, as an operator starts it.
    const [file, ...given] = [program, '-f', '-r', '--home', home, ...flags] as const
    const limited = ['-c', `ulimit -n ${openFilesMax} && exec "$0" "$@"`, file, ...given]
    const [command, args] = openFilesMax === undefined ? [file, given] : ['sh', limited]
    this.#child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const output of [this.#child.stdout, this.#child.stderr])
      if (output) createInterface({ input: output }).on('line', (line) => this.#receive(line))
    this.ended = once(this.#child, 'close').then(([code, signal]: unknown[]) => {
      const end = { code: typeof code === 'number' ? code : null, signal: this.#child.signalCode ?? (signal === null ? null : 'SIGKILL') }
      this.#end = end
      for (const waiter of this.#waiters)
        waiter.failed(this.#complaint(`ended (${end.signal ?? `exit code ${end.code}`}) before it logged`))
      return end
    })
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  get isRunning(): boolean {
    return this.#end === undefined
  }

  /** The number of lines so far: `logged(…, mark())` then means a line after now. */
  mark(): number {
    return this.lines.length
  }

  /** The first line, from the mark on, that holds `what`. Fails at the deadline, in milliseconds, and when the process ends first. */
  logged(what: string | RegExp, from = 0, deadlineMs = deadlineMsDefault): Promise<string> {
    const sees = (line: string): boolean => (typeof what === 'string' ? line.includes(what) : what.test(line))
    const present = this.lines.slice(from).find(sees)
    if (present !== undefined) return Promise.resolve(present)
    if (this.#end) return Promise.reject(this.#complaint(`has ended and never logged ${String(what)}`))
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        clearTimeout(deadline)
        this.#waiters.delete(waiter)
        finish()
      }
      const deadline = setTimeout(() => waiter.failed(this.#complaint(`did not log within ${deadlineMs / 1000} s`)), deadlineMs)
      const waiter: Waiter = {
        sees,
        done: (line) => settle(() => resolve(line)),
        failed: (error) => settle(() => reject(new Error(`${error.message}: ${String(what)}`))),
      }
      this.#waiters.add(waiter)
    })
  }

  /** SIGTERM; resolves with the end and the milliseconds that it took. */
  async stop(): Promise<DaemonEnd & { readonly tookMs: number }> {
    const startMs = performance.now()
    this.#child.kill('SIGTERM')
    const end = await this.ended
    return { ...end, tookMs: performance.now() - startMs }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended
  }

  /** For a caller with no time left to wait. */
  killNow(): void {
    if (this.isRunning) this.#child.kill('SIGKILL')
  }

  lastLines(count = lastLinesShown): string {
    return this.lines
      .slice(-count)
      .map((line) => `    ${line}`)
      .join('\n')
  }

  #receive(line: string): void {
    this.lines.push(line)
    for (const waiter of [...this.#waiters]) if (waiter.sees(line)) waiter.done(line)
  }

  #complaint(says: string): Error {
    return new Error(`${this.name} ${says}`)
  }
}
