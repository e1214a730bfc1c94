/** Waiting for a time to pass, on the clock of a node. */
import { ClusterError } from '../../base/errors.js'
import type { Clock } from '../../ports/machine.js'

/** Resolves after that time. Fails with `aborted` as soon as one of the signals is. */
export const pause = (
  timers: Pick<Clock, 'setTimeout' | 'clearTimeout'>,
  delayMs: number,
  ...signals: readonly AbortSignal[]
): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      timers.clearTimeout(timer)
      for (const signal of signals) signal.removeEventListener('abort', abort)
      then()
    }
    const abort = (): void => settle(() => reject(new ClusterError('aborted')))
    const timer = timers.setTimeout(() => settle(resolve), delayMs)
    for (const signal of signals) signal.addEventListener('abort', abort, { once: true })
    if (signals.some(({ aborted }) => aborted)) abort()
  })
