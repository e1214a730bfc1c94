import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterClock } from '../../../src/actors/agents/clusterClock.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

describe('cluster clock', () => {
  it("shows the master's time from its first measurement on, however the worker's clock is set later", () =>
    fc.assert(
      fc.asyncProperty(
        fc.integer({ min: -3_600_000, max: 3_600_000 }),
        fc.array(fc.integer({ min: -86_400_000, max: 86_400_000 }), { maxLength: 5 }),
        async (skewMs, jumps) => {
          const time = new VirtualClock()
          const own = time.view()
          own.jump(skewMs)
          const clock = new ClusterClock(own, 'worker')
          expect(clock.isMeasured).toBe(false)
          clock.measure(time.now(), own.monotonicMs())
          for (const jumpMs of jumps) {
            own.jump(jumpMs)
            await time.advance(1_000)
            expect(Math.abs(clock.now() - time.now())).toBeLessThanOrEqual(1)
          }
        },
      ),
      { numRuns: 50 },
    ))

  it('has no skew until the first measurement, and lets callers wait for it', async () => {
    const time = new VirtualClock()
    const own = time.view()
    const clock = new ClusterClock(own, 'worker')
    own.jump(-90_000)
    expect(clock.skewMs).toBe(0)
    const waiting = clock.measured(new AbortController().signal)
    clock.measure(time.now(), own.monotonicMs())
    await waiting
    expect(clock.skewMs).toBe(90_000)
  })

  it("is the master's own clock on the master", async () => {
    const clock = new ClusterClock(new VirtualClock(), 'master')
    await clock.measured(new AbortController().signal)
    expect(clock.skewMs).toBe(0)
  })

  it('stops waiting when its signal is aborted', async () => {
    const stop = new AbortController()
    const waiting = new ClusterClock(new VirtualClock(), 'worker').measured(stop.signal)
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
  })
})
