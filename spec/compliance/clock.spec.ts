/** One suite for every Clock: the real one, the virtual one, and a node's view of it. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../src/base/limits.js'
import { realClock } from '../../src/platform/machine/realClock.js'
import type { Clock } from '../../src/ports/machine.js'
import { VirtualClock } from '../../src/simulation/world/virtualClock.js'

interface World {
  readonly clock: Clock
  run(promise: Promise<void>): Promise<void>
}

const realWorld = (): World => ({ clock: realClock, run: (promise) => promise })

const virtualWorld = (see: (clock: VirtualClock) => Clock) => (): World => {
  const clock = new VirtualClock()
  return {
    clock: see(clock),
    run: async (promise) => {
      let settled = false
      void promise.then(() => {
        settled = true
      })
      if (!(await clock.runUntil(() => settled, 60_000)))
        throw new Error('what was waited for did not happen within a minute of virtual time')
    },
  }
}

describe.each([
  { name: 'the real clock', create: realWorld },
  { name: 'the virtual clock', create: virtualWorld((clock) => clock) },
  { name: "a node's view of the virtual clock", create: virtualWorld((clock) => clock.view({ skewMs: -3_000, driftPpm: 50 })) },
])('$name', ({ create }) => {
  const fired = (clock: Clock, delayMs: number): Promise<void> => new Promise((resolve) => clock.setTimeout(resolve, delayMs))

  it('fires a timer once, later and not before its delay', async () => {
    const { clock, run } = create()
    const startMs = clock.monotonicMs()
    let count = 0
    clock.setTimeout(() => count++, 20)
    expect(count).toBe(0)
    await run(fired(clock, 40))
    expect(count).toBe(1)
    // Timers of Node round to whole milliseconds.
    expect(clock.monotonicMs() - startMs).toBeGreaterThanOrEqual(39)
  })

  it('fires timers in the order of their delays, and equal ones in the order in which they were set', async () => {
    const { clock, run } = create()
    const order: string[] = []
    clock.setTimeout(() => order.push('late'), 30)
    clock.setTimeout(() => order.push('first'), 10)
    clock.setTimeout(() => order.push('second'), 10)
    await run(fired(clock, 50))
    expect(order).toEqual(['first', 'second', 'late'])
  })

  it('never fires a cancelled timer, and takes the cancelling of one that has fired, or of none', async () => {
    const { clock, run } = create()
    let count = 0
    const cancelled = clock.setTimeout(() => count++, 5)
    const kept = clock.setTimeout(() => count++, 5)
    clock.clearTimeout(cancelled)
    clock.clearTimeout(cancelled)
    clock.clearTimeout(undefined)
    await run(fired(clock, 20))
    clock.clearTimeout(kept)
    expect(count).toBe(1)
  })

  it('refuses a delay that is too long for a timer', () => {
    const { clock } = create()
    expect(() => clock.setTimeout(() => {}, limits.timerMsMax + 1)).toThrow('delay')
  })

  it('has a wall clock of this century and a monotonic one that moves at the same pace', async () => {
    const { clock, run } = create()
    const [wallMs, monotonicMs] = [clock.now(), clock.monotonicMs()]
    expect(wallMs).toBeGreaterThan(Date.UTC(2020))
    await run(fired(clock, 30))
    expect(Math.abs(clock.now() - wallMs - (clock.monotonicMs() - monotonicMs))).toBeLessThan(20)
  })
})
