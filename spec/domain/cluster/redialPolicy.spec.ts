import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redialDelayMs } from '../../../src/domain/cluster/redialPolicy.js'

const fractions = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const policies = fc.record({ delayMsMin: fc.integer({ min: 1, max: 1_000 }), delayMsMax: fc.integer({ min: 1, max: 600_000 }) })
const dials = fc.oneof(fc.nat(40), fc.nat())

describe('redial policy', () => {
  it('never waits longer than connection_retry, however often the dial failed', () =>
    fc.assert(
      fc.property(dials, fc.boolean(), fractions, policies, (failedDials, refused, fraction, policy) => {
        const delayMs = redialDelayMs(failedDials, refused, fraction, policy)
        expect(delayMs).toBeLessThanOrEqual(policy.delayMsMax)
        expect(delayMs).toBeGreaterThanOrEqual(Math.min(policy.delayMsMin, policy.delayMsMax) / 2)
      }),
    ))

  it('waits longer after each failed dial until the longest wait is reached, and never less', () =>
    fc.assert(
      fc.property(fc.nat(100), fractions, policies, (failedDials, fraction, policy) => {
        const before = redialDelayMs(failedDials, false, fraction, policy)
        const after = redialDelayMs(failedDials + 1, false, fraction, policy)
        if (before < policy.delayMsMax * (1 - fraction / 2)) expect(after).toBeGreaterThan(before)
        else expect(after).toBe(before)
      }),
    ))

  it('spreads the workers over half of the wait', () =>
    fc.assert(
      fc.property(dials, fc.boolean(), fractions, fractions, policies, (failedDials, refused, one, other, policy) => {
        const [a, b] = [one, other].map((fraction) => redialDelayMs(failedDials, refused, fraction, policy))
        const full = redialDelayMs(failedDials, refused, 0, policy)
        expect(a).toBeGreaterThan(full / 2 - 1e-9)
        if (a !== undefined && b !== undefined && one < other) expect(a).toBeGreaterThanOrEqual(b)
        expect(redialDelayMs(failedDials, refused, 0.5, policy)).toBeCloseTo((full * 3) / 4, 6)
      }),
    ))

  it('waits the longest after a refusal that only an operator can fix', () =>
    fc.assert(
      fc.property(dials, fractions, policies, (failedDials, fraction, policy) => {
        expect(redialDelayMs(failedDials, true, fraction, policy)).toBe(redialDelayMs(1_000_000, false, fraction, policy))
      }),
    ))
})
