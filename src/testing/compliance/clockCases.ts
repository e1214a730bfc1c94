/** The suite for the Clock port: what every clock must do, real or virtual. */
import assert from 'node:assert/strict'
import { limits } from '../../base/limits.js'
import type { Clock } from '../../ports/machine.js'
import { type ComplianceCase, casesOf } from './complianceCase.js'

export interface ClockSuite {
  readonly clock: Clock
  /** Waits for something that a timer of the clock does; lets the time of a virtual one pass meanwhile. */
  readonly run: (promise: Promise<void>) => Promise<void>
}

const fired = (clock: Clock, delayMs: number): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimeout(resolve, delayMs)
  })

const tests: Readonly<Record<string, (suite: ClockSuite) => Promise<void>>> = {
  'fires a timer once, later and not before its delay': async ({ clock, run }) => {
    const startMs = clock.monotonicMs()
    let count = 0
    clock.setTimeout(() => count++, 20)
    assert.equal(count, 0)
    await run(fired(clock, 40))
    assert.equal(count, 1)
    // Timers of Node round to whole milliseconds.
    assert.ok(clock.monotonicMs() - startMs >= 39)
  },

  'fires timers in the order of their delays, and equal ones in the order in which they were set': async ({ clock, run }) => {
    const order: string[] = []
    clock.setTimeout(() => order.push('late'), 30)
    clock.setTimeout(() => order.push('first'), 10)
    clock.setTimeout(() => order.push('second'), 10)
    await run(fired(clock, 50))
    assert.deepEqual(order, ['first', 'second', 'late'])
  },

  'never fires a cancelled timer, and takes the cancelling of one that has fired, or of none': async ({ clock, run }) => {
    let count = 0
    const cancelled = clock.setTimeout(() => count++, 5)
    const kept = clock.setTimeout(() => count++, 5)
    clock.clearTimeout(cancelled)
    clock.clearTimeout(cancelled)
    clock.clearTimeout(undefined)
    await run(fired(clock, 20))
    clock.clearTimeout(kept)
    assert.equal(count, 1)
  },

  'refuses a delay that is too long for a timer': async ({ clock }) => {
    assert.throws(() => clock.setTimeout(() => {}, limits.timerMsMax + 1), /delay/)
  },

  'has a wall clock of this century and a monotonic one that moves at the same pace': async ({ clock, run }) => {
    const [wallMs, monotonicMs] = [clock.now(), clock.monotonicMs()]
    assert.ok(wallMs > Date.UTC(2020))
    await run(fired(clock, 30))
    assert.ok(Math.abs(clock.now() - wallMs - (clock.monotonicMs() - monotonicMs)) < 20)
  },
}

/** Holds a clock to: timers fire once, in order, not before their delay; wall clock and monotonic one move at the same pace. */
export const clockCases = (suite: () => ClockSuite): readonly ComplianceCase[] =>
  casesOf<ClockSuite>(
    () => Promise.resolve(suite()),
    () => Promise.resolve(),
    tests,
  )
