import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exponentOf } from '../../bench/growth/exponent.js'

describe('the exponent of a curve', () => {
  it('is the k of c · count^k, whatever c and the counts', () =>
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 3, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
        fc.uniqueArray(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 2, maxLength: 6 }),
        (k, c, counts) => {
          expect(exponentOf(counts.map((count) => ({ count, cost: c * count ** k })))).toBeCloseTo(k, 3)
        },
      ),
    ))

  it.each([
    [[]],
    [[{ count: 10, cost: 1 }]],
    [
      [
        { count: 10, cost: 0 },
        { count: 20, cost: 1 },
      ],
    ],
  ])('is not a number for too few points: %j', (points) => expect(exponentOf(points)).toBeNaN())
})
