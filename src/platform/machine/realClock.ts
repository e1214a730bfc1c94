/** The Clock of the real world. */
import { invariant } from '../../base/invariant.js'
import { limits } from '../../base/limits.js'
import type { Clock } from '../../ports/machine.js'

const isTimer = (timer: unknown): timer is NodeJS.Timeout => typeof timer === 'object' && timer !== null && 'hasRef' in timer

export const realClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimeout: (fire, delayMs) => {
    // A longer delay, or none that is a number, would fire at once.
    invariant(delayMs <= limits.timerMsMax, `a timer's delay is at most ${limits.timerMsMax} ms`)
    return setTimeout(fire, delayMs)
  },
  clearTimeout: (timer) => {
    if (isTimer(timer)) clearTimeout(timer)
  },
}
