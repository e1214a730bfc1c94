/** The daemons of a simulated manager: each answers what it is set to. */
import { ClusterError } from '../../base/errors.js'
import type { Clock } from '../../ports/machine.js'
import type { AskedDaemon, ManagerDaemons, RulesetReload } from '../../ports/manager.js'

const callMs = 2

export class SimulatedManagerDaemons {
  /** What was asked, in order. */
  readonly asked: { readonly daemon: AskedDaemon; readonly message: string }[] = []
  /** How often the ruleset was loaded. */
  reloads = 0
  /** No daemon can be reached. */
  isDown = false
  /** What a daemon answers. */
  answer: (daemon: AskedDaemon, message: string) => string = () => '{"error":0,"message":"ok","data":{}}'
  /** What wazuh-analysisd says; undefined: it is of a version that cannot load its rules again. */
  reload: RulesetReload | undefined = { isLoaded: true, messages: [] }

  /** For a process of a node; `clock` is its own. */
  port(clock: Clock): ManagerDaemons {
    const call = <T>(signal: AbortSignal, act: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const onAbort = (): void => {
          clock.clearTimeout(timer)
          reject(new ClusterError('aborted', { message: "Asking the manager's daemons was stopped" }))
        }
        const timer = clock.setTimeout(() => {
          signal.removeEventListener('abort', onAbort)
          if (this.isDown) reject(new ClusterError('managerFailed', { message: 'The daemon does not run' }))
          else resolve(act())
        }, callMs)
        if (signal.aborted) onAbort()
        else signal.addEventListener('abort', onAbort, { once: true })
      })
    return {
      ask: (daemon, message, signal) =>
        call(signal, () => {
          const text = Buffer.from(message).toString()
          this.asked.push({ daemon, message: text })
          return Buffer.from(this.answer(daemon, text))
        }),
      reloadRuleset: (signal) =>
        call(signal, () => {
          if (this.reload) this.reloads += 1
          return this.reload
        }),
    }
  }
}
