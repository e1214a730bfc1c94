/**
 * Wazuh's own framework, in a process of its own under the manager's Python. It is started when it is needed first, kept, and started
 * again when it ends: the pauses grow while it does not come up.
 */
import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { Log } from '../../ports/machine.js'
import type { ApiBridge, CarriedAnswer } from '../../ports/manager.js'
import { BridgeProcess, bridgeEnded } from './bridgeProcess.js'

export interface ApiBridgeOptions {
  readonly home: string
  /** As the option `api_bridge` has it. */
  readonly mode: 'auto' | 'off'
  readonly log: Log
  /** The program, where it is not that of the package. */
  readonly script?: string
  /** In place of those of limits.ts. */
  readonly times?: Partial<BridgeTimes>
}

/** Until the program is started again, the first time, and until it is ended when it does not end what it is to drop. */
export type BridgeTimes = Readonly<Record<'bridgeRestartMsMin' | 'bridgeDropMsMax', number>>

const writableByOthers = 0o002
const interpreterPath = 'framework/python/bin/python3'

/** Where the build puts it. By the package's own name: in a bundle this file stands elsewhere. */
const builtScript = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('muster/package.json')), 'dist/platform/manager/python/muster_api_bridge.py')

export const createApiBridge = (options: ApiBridgeOptions): ApiBridge => new RestartedBridge(options)

class RestartedBridge implements ApiBridge {
  readonly #options: ApiBridgeOptions
  readonly #log: Log
  readonly #times: BridgeTimes
  #process: BridgeProcess | undefined
  /** Until it may be started again. */
  #resting: { readonly over: Promise<void>; readonly timer: NodeJS.Timeout; readonly end: () => void; readonly reason: string } | undefined
  /** Ends in a row, each before it was of use for a while. */
  #failures = 0
  #isClosed = false

  constructor(options: ApiBridgeOptions) {
    this.#options = options
    this.#times = { ...limits, ...options.times }
    this.#log = options.log.at({ tag: 'Cluster', subtag: 'API bridge' })
  }

  async run(request: Uint8Array, signal: AbortSignal): Promise<CarriedAnswer> {
    const process = await this.#started(signal)
    await unlessAborted(process.ready, signal)
    if (process.open >= limits.bridgeRequestsMax)
      throw new ClusterError('overloaded', { message: `Wazuh's framework is already carrying out ${process.open} requests` })
    return process.run(request, signal)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#resting?.timer)
    this.#resting?.end()
    await this.#process?.close()
  }

  /** Fails with `apiBridgeOff`, and with `managerFailed` while it rests after several failures. */
  async #started(signal: AbortSignal): Promise<BridgeProcess> {
    if (this.#resting) {
      if (this.#failures > 1) throw bridgeEnded(`${this.#resting.reason}; it will be started again`)
      await unlessAborted(this.#resting.over, signal)
    }
    if (this.#isClosed) throw new ClusterError('aborted', { message: 'The node is stopping' })
    this.#process ??= this.#start(this.#interpreter())
    return this.#process
  }

  #interpreter(): string {
    const { home, mode } = this.#options
    if (mode === 'off') throw off('the option api_bridge in etc/cluster.json is "off"')
    const python = join(home, interpreterPath)
    const stat = statSync(python, { throwIfNoEntry: false })
    if (!stat?.isFile()) throw off(`there is no ${python}`)
    // It is run as this process' user: no other user may be able to change it.
    if (![0, process.geteuid?.()].includes(stat.uid)) throw off(`${python} belongs to user ${stat.uid}`)
    if ((stat.mode & writableByOthers) !== 0) throw off(`${python} is writable by every user`)
    return python
  }

  #start(python: string): BridgeProcess {
    const { home, script = builtScript() } = this.#options
    const startedMs = performance.now()
    const lines = new BoundedLines(this.#log)
    const process = new BridgeProcess({
      ...{ python, script, home, dropMsMax: this.#times.bridgeDropMsMax },
      onLine: (line) => lines.add(line),
      onEnd: (reason) => {
        lines.close()
        this.#process = undefined
        if (this.#isClosed) return
        const isOfUse = performance.now() - startedMs > limits.bridgeOfUseMs
        this.#failures = isOfUse ? 1 : this.#failures + 1
        this.#rest(reason)
      },
    })
    process.ready.then(
      () => this.#log.info(`Ready after ${((performance.now() - startedMs) / 1_000).toFixed(1)} s.`),
      () => undefined,
    )
    return process
  }

  #rest(reason: string): void {
    const pauseMs = Math.min(limits.bridgeRestartMsMax, this.#times.bridgeRestartMsMin * 2 ** (this.#failures - 1))
    this.#log.error(
      `The program under the manager's Python ${reason}. It will be started again after ${pauseMs / 1_000} s, when it is needed.`,
    )
    let end = (): void => undefined
    const over = new Promise<void>((resolve) => {
      end = () => {
        this.#resting = undefined
        resolve()
      }
    })
    const timer = setTimeout(() => end(), pauseMs)
    // Nothing but a request waits for it.
    timer.unref()
    this.#resting = { over, timer, end, reason }
  }
}

const off = (why: string): ClusterError =>
  new ClusterError('apiBridgeOff', { message: `Requests of Wazuh's distributed API are not carried out here: ${why}` })

const unlessAborted = <T>(promise: Promise<T>, signal: AbortSignal): Promise<T> => {
  signal.throwIfAborted()
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** What the program writes to its standard error, with a bound on the lines of a minute. */
class BoundedLines {
  readonly #log: Log
  #count = 0
  #timer: NodeJS.Timeout | undefined

  constructor(log: Log) {
    this.#log = log
  }

  add(line: string): void {
    this.#timer ??= setTimeout(() => this.#nextMinute(), 60_000).unref()
    this.#count += 1
    if (this.#count <= limits.bridgeLinesPerMinuteMax) this.#log.warning(line)
  }

  close(): void {
    clearTimeout(this.#timer)
    this.#nextMinute()
  }

  #nextMinute(): void {
    const leftOut = this.#count - limits.bridgeLinesPerMinuteMax
    if (leftOut > 0) this.#log.warning(`${leftOut} more lines were left out.`)
    this.#count = 0
    this.#timer = undefined
  }
}
