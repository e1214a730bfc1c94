/**
 * What other programs do to the home of a running daemon: Wazuh's own wazuh-clusterd removes our PID file when it is started beside us,
 * and an upgrade of Wazuh's package may put its own program back in place of the one that starts us.
 */
import { asClusterError } from '../../base/errors.js'
import type { Log } from '../../ports/machine.js'
import { daemonsOf } from '../kit/daemonProcesses.js'
import { isReplaced, programPath } from '../kit/installedHome.js'
import type { HeldHome } from './pidFile.js'

const checkMs = 5_000

export class HomeWatch {
  readonly #home: string
  readonly #held: HeldHome
  readonly #log: Log
  /** What holds now, and was said when it began. */
  #said: ReadonlySet<string> = new Set()

  constructor(home: string, held: HeldHome, log: Log) {
    this.#home = home
    this.#held = held
    this.#log = log
  }

  /** Warns of what is new since the last time. */
  check(): void {
    const found = new Set(this.#found())
    for (const line of found) if (!this.#said.has(line)) this.#log.warning(line)
    this.#said = found
  }

  *#found(): Generator<string> {
    try {
      const other = daemonsOf(this.#home).find(({ kind }) => kind === 'wazuh')
      if (other)
        yield `Wazuh's own wazuh-clusterd (PID ${other.pid}) runs on ${this.#home} too, and wants the same port and socket: end it with kill ${other.pid}; "muster status" says which of the two the manager starts.`
      if (this.#held.restorePidFile())
        this.#log.warning(
          `The PID file of this daemon was removed by another program, and is written again: wazuh-control finds it by that file.`,
        )
      if (isReplaced(this.#home))
        yield `${this.#home}/${programPath} is not Muster's any more, most likely by an upgrade of Wazuh: the next restart of the manager would start Wazuh's own. "muster install-into-manager" puts Muster back.`
    } catch (thrown) {
      yield `The PID file cannot be checked: ${asClusterError(thrown, 'fileFailed').message}`
    }
  }
}

/** Returns what ends it. */
export const watchHome = (home: string, held: HeldHome, log: Log): (() => void) => {
  const watch = new HomeWatch(home, held, log)
  const timer = setInterval(() => watch.check(), checkMs)
  return () => clearInterval(timer)
}
