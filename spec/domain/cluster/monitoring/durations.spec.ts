/** The histogram of durations agrees with the durations. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Durations, durationBoundsSeconds } from '../../../../src/domain/cluster/monitoring/durations.js'

it('counts in each bucket the durations that are at most its bound', () =>
  fc.assert(
    fc.property(fc.array(fc.double({ min: -10, max: 2_000_000, noNaN: true })), (ms) => {
      const durations = new Durations()
      for (const one of ms) durations.add(one)
      const seconds = ms.map((one) => Math.max(0, one) / 1_000)
      const { count, counts, sumSeconds } = durations.figures
      expect(counts).toEqual(
        durationBoundsSeconds.map((bound) => ({ seconds: bound, count: seconds.filter((one) => one <= bound).length })),
      )
      expect(count).toBe(ms.length)
      expect(sumSeconds).toBeCloseTo(
        seconds.reduce((sum, one) => sum + one, 0),
        6,
      )
    }),
  ))
