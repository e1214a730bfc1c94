import type { VirtualClock } from '../../src/simulation/world/virtualClock.js'

/** Waits for calls of a port in virtual time: lets it pass until a call has ended, for this long at most. */
export const settledIn =
  (clock: VirtualClock, msMax = 60_000) =>
  async <T>(call: Promise<T>): Promise<T> => {
    let isDone = false
    const done = call.finally(() => {
      isDone = true
    })
    done.catch(() => undefined)
    if (!(await clock.runUntil(() => isDone, msMax)))
      throw new Error(`What was waited for did not happen within ${msMax / 1_000} s of virtual time`)
    return done
  }
