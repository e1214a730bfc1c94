import type { VirtualClock } from '../../src/simulation/world/virtualClock.js'

/** Waits for calls of a port in virtual time: lets it pass until a call has ended. */
export const settledIn =
  (clock: VirtualClock) =>
  async <T>(call: Promise<T>): Promise<T> => {
    let isDone = false
    const done = call.finally(() => {
      isDone = true
    })
    done.catch(() => undefined)
    await clock.runUntil(() => isDone, 60_000)
    return done
  }
