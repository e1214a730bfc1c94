/** Holds your own port, here a clock, to what the nodes rely on. The suites are lists of cases: any test runner can register them. */
import type { Clock } from 'muster'
import { type ClockSuite, clockCases } from 'muster/testing'
import { describe, expect, it } from 'vitest'

const timerMsMax = 2 ** 31 - 1

/** The clock of this process, whose timers do not keep it alive. */
const backgroundClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimeout: (fire, delayMs) => {
    if (delayMs > timerMsMax) throw new RangeError(`a delay of ${delayMs} ms is too long`)
    return setTimeout(fire, delayMs).unref()
  },
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
}

const suiteOf = (clock: Clock) => (): ClockSuite => ({
  clock,
  // Something has to keep the process alive meanwhile.
  run: async (promise) => {
    const alive = setInterval(() => undefined, 1_000)
    await promise.finally(() => clearInterval(alive))
  },
})

describe('our clock', () => {
  for (const { title, run } of clockCases(suiteOf(backgroundClock))) it(title, run)
})

describe('the suite', () => {
  it('fails a clock that forgets to cancel its timers, and says which property it lacks', async () => {
    const forgetful = clockCases(suiteOf({ ...backgroundClock, clearTimeout: () => undefined }))
    const failed: string[] = []
    for (const { title, run } of forgetful) await run().catch(() => failed.push(title))
    expect(failed).toEqual([expect.stringContaining('never fires a cancelled timer')])
  })
})
