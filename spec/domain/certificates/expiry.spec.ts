import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { dayMs, daysLeft, expiryStage } from '../../../src/domain/certificates/expiry.js'

const endsMs = Date.UTC(2036, 0, 1)

describe('the end of a certificate', () => {
  it.each([
    [31, undefined],
    [30, 30],
    [7.01, 30],
    [7, 7],
    [1.01, 7],
    [1, 1],
    [0.001, 1],
    [0, 0],
    [-400, 0],
  ])('%s days ahead has the stage %s', (days, stage) => expect(expiryStage(endsMs, endsMs - days * dayMs)).toBe(stage))

  it('comes nearer: a later time never has an earlier stage', () =>
    fc.assert(
      fc.property(fc.integer({ min: -100 * dayMs, max: 100 * dayMs }), fc.integer({ min: 0, max: 100 * dayMs }), (leftMs, passedMs) => {
        const [before, after] = [leftMs, leftMs - passedMs].map((left) => expiryStage(endsMs, endsMs - left) ?? Number.POSITIVE_INFINITY)
        expect(after).toBeLessThanOrEqual(before ?? 0)
      }),
    ))

  it('is counted in whole days, the last one as 0', () => {
    expect(daysLeft(endsMs, endsMs - 1)).toBe(0)
    expect(daysLeft(endsMs, endsMs - dayMs)).toBe(1)
    expect(daysLeft(endsMs, endsMs + 1)).toBe(-1)
  })
})
