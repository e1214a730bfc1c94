import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'

const delays = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 })

describe('the virtual clock', () => {
  it('fires timers in order of their time, and those of one time in the order in which they were set', () =>
    fc.assert(
      fc.asyncProperty(delays, async (delaysMs) => {
        const clock = new VirtualClock()
        const fired: { delayMs: number; index: number }[] = []
        delaysMs.forEach((delayMs, index) => {
          clock.setTimeout(() => {
            expect(clock.monotonicMs()).toBe(delayMs)
            fired.push({ delayMs, index })
          }, delayMs)
        })
        await clock.advance(20)
        const inOrder = delaysMs.map((delayMs, index) => ({ delayMs, index })).sort((a, b) => a.delayMs - b.delayMs || a.index - b.index)
        expect(fired).toEqual(inOrder)
      }),
    ))

  it('never fires a cancelled timer, and counts exactly those that are left', () =>
    fc.assert(
      fc.asyncProperty(delays, fc.array(fc.nat(59)), fc.nat(20), async (delaysMs, cancelled, untilMs) => {
        const clock = new VirtualClock()
        const fired = new Set<number>()
        const timers = delaysMs.map((delayMs, index) => clock.setTimeout(() => fired.add(index), delayMs))
        const gone = new Set(cancelled.filter((index) => index < timers.length))
        for (const index of cancelled) clock.clearTimeout(timers[index])
        expect(clock.pending).toBe(timers.length - gone.size)
        await clock.advance(untilMs)
        const left = [...delaysMs.entries()].filter(([index, delayMs]) => !gone.has(index) && delayMs <= untilMs)
        expect([...fired]).toEqual(left.sort(([i, x], [j, y]) => x - y || i - j).map(([index]) => index))
        for (const timer of timers) clock.clearTimeout(timer)
        expect(clock.pending).toBe(0)
      }),
    ))

  it('keeps its order when a late timer among late ones is cancelled', async () => {
    const clock = new VirtualClock()
    const firedMs: number[] = []
    const timers = [1, 100, 2, 101, 102, 3, 4].map((delayMs) => clock.setTimeout(() => firedMs.push(clock.monotonicMs()), delayMs))
    clock.clearTimeout(timers[3])
    for (let i = 0; i < 8; i++) clock.setTimeout(() => firedMs.push(clock.monotonicMs()), 150)
    await clock.advance(149)
    expect(firedMs).toEqual([1, 2, 3, 4, 100, 102])
  })

  it('fires a timer that sets itself again once per interval, each time at its instant', async () => {
    const clock = new VirtualClock()
    const timesMs: number[] = []
    const again = (): void => {
      timesMs.push(clock.monotonicMs())
      clock.setTimeout(again, 10)
    }
    clock.setTimeout(again, 10)
    await clock.advance(45)
    expect(timesMs).toEqual([10, 20, 30, 40])
    expect(clock.monotonicMs()).toBe(45)
  })

  it('lets what a timer started settle before the next one fires, both promises and deferred turns', async () => {
    const clock = new VirtualClock()
    const seen: string[] = []
    const work = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await Promise.resolve()
      seen.push('promises')
      await new Promise((resolve) => process.nextTick(resolve))
      for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
      seen.push('deferred')
      clock.setTimeout(() => seen.push(`started at ${clock.monotonicMs()}`), 0)
    }
    clock.setTimeout(() => void work(), 1)
    clock.setTimeout(() => seen.push('next'), 1)
    await clock.advance(1)
    expect(seen).toEqual(['promises', 'deferred', 'next', 'started at 1'])
  })

  it('stops as soon as what was waited for holds, or when the time is over', async () => {
    const clock = new VirtualClock()
    let count = 0
    const tick = (): void => {
      count++
      clock.setTimeout(tick, 10)
    }
    clock.setTimeout(tick, 10)
    expect(await clock.runUntil(() => count === 3, 1_000)).toBe(true)
    expect(clock.monotonicMs()).toBe(30)
    expect(await clock.runUntil(() => count === 100, 100)).toBe(false)
    expect(clock.monotonicMs()).toBe(130)
    expect(await clock.runNext()).toBe(true)
    expect(clock.monotonicMs()).toBe(140)
    expect(await new VirtualClock().runNext()).toBe(false)
  })

  it('fails with what a timer threw', async () => {
    const clock = new VirtualClock()
    clock.setTimeout(() => {
      throw new Error('planted')
    }, 1)
    await expect(clock.advance(1)).rejects.toThrow('planted')
  })

  it.each([-1, limits.timerMsMax + 1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a delay of %d ms', (delayMs) => {
    const clock = new VirtualClock()
    expect(() => clock.setTimeout(() => {}, delayMs)).toThrow('delay')
    expect(clock.pending).toBe(0)
  })
})

describe("a node's view of the clock", () => {
  it('has its own wall clock and the shared time', async () => {
    const clock = new VirtualClock(1_000_000)
    const late = clock.view({ skewMs: -5_000 })
    const fast = clock.view({ driftPpm: 100 })
    await clock.advance(10_000)
    expect([clock.now(), late.now(), fast.now()]).toEqual([1_010_000, 1_005_000, 1_010_001])
    late.jump(7_000)
    expect(late.now()).toBe(1_012_000)
    expect(late.monotonicMs()).toBe(10_000)
  })

  it('cancels all of its timers in a crash and none of the others', () =>
    fc.assert(
      fc.asyncProperty(delays, delays, fc.nat(20), async (mine, others, crashMs) => {
        const clock = new VirtualClock()
        const view = clock.view()
        const fired = { mine: 0, others: 0 }
        for (const delayMs of mine) view.setTimeout(() => fired.mine++, delayMs)
        for (const delayMs of others) clock.setTimeout(() => fired.others++, delayMs)
        await clock.advance(crashMs)
        expect(view.pending).toBe(mine.length - fired.mine)
        view.cancelAll()
        const before = fired.mine
        expect(view.pending).toBe(0)
        await clock.advance(20)
        expect(fired).toEqual({ mine: before, others: others.length })
        expect(clock.pending).toBe(0)
      }),
    ))

  it('keeps timers that come due while frozen until it thaws, in order, and drops cancelled ones', async () => {
    const clock = new VirtualClock()
    const view = clock.view()
    const fired: string[] = []
    view.setTimeout(() => fired.push('b'), 20)
    const cancelled = view.setTimeout(() => fired.push('cancelled'), 15)
    view.setTimeout(() => fired.push('a'), 10)
    view.setTimeout(() => fired.push('later'), 60)
    view.freeze()
    await clock.advance(50)
    expect(fired).toEqual([])
    view.clearTimeout(cancelled)
    expect(view.pending).toBe(3)
    view.thaw()
    await clock.advance(0)
    expect(fired).toEqual(['a', 'b'])
    await clock.advance(10)
    expect(fired).toEqual(['a', 'b', 'later'])
    expect([view.pending, clock.pending]).toEqual([0, 0])
  })
})
