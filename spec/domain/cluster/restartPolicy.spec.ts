import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decideRestart, defaultRestartPolicy, type RestartPolicy } from '../../../src/domain/cluster/restartPolicy.js'

const policies: fc.Arbitrary<RestartPolicy> = fc
  .record({
    restartsMax: fc.integer({ min: 1, max: 8 }),
    windowMs: fc.integer({ min: 1, max: 100_000 }),
    delayMsMin: fc.integer({ min: 1, max: 1_000 }),
    more: fc.nat(10_000),
  })
  .map(({ more, ...policy }) => ({ ...policy, delayMsMax: policy.delayMsMin + more }))

describe('restart policy', () => {
  it('gives a thread up exactly at the crash that makes more than the allowed restarts within the window', () =>
    fc.assert(
      fc.property(policies, fc.array(fc.nat(60_000), { minLength: 1, maxLength: 30 }), (policy, gapsMs) => {
        let nowMs = 0
        let crashesMs: readonly number[] = []
        const all: number[] = []
        for (const gapMs of gapsMs) {
          nowMs += gapMs
          all.push(nowMs)
          const recent = all.filter((atMs) => nowMs - atMs < policy.windowMs).length
          const decision = decideRestart(crashesMs, nowMs, policy)
          expect(decision.kind).toBe(recent > policy.restartsMax ? 'escalate' : 'restart')
          if (decision.kind === 'escalate') return
          expect(decision.delayMs).toBeGreaterThanOrEqual(policy.delayMsMin)
          expect(decision.delayMs).toBeLessThanOrEqual(policy.delayMsMax)
          expect(decision.crashesMs.length).toBeLessThanOrEqual(policy.restartsMax)
          crashesMs = decision.crashesMs
        }
      }),
    ))

  it('waits longer after each crash in a row, up to its longest wait', () =>
    fc.assert(
      fc.property(policies, (policy) => {
        let crashesMs: readonly number[] = []
        let before = 0
        for (let crash = 0; crash < policy.restartsMax; crash++) {
          const decision = decideRestart(crashesMs, 1_000, policy)
          if (decision.kind === 'escalate') return expect.fail('given up too early')
          if (before < policy.delayMsMax) expect(decision.delayMs).toBeGreaterThan(before)
          else expect(decision.delayMs).toBe(policy.delayMsMax)
          before = decision.delayMs
          crashesMs = decision.crashesMs
        }
        expect(decideRestart(crashesMs, 1_000, policy)).toEqual({ kind: 'escalate' })
      }),
    ))

  it('by default restarts five times within a minute, from a tenth of a second on', () => {
    const delays: number[] = []
    let decision = decideRestart([], 0, defaultRestartPolicy)
    while (decision.kind === 'restart') {
      delays.push(decision.delayMs)
      decision = decideRestart(decision.crashesMs, 0, defaultRestartPolicy)
    }
    expect(delays).toEqual([100, 200, 400, 800, 1_600])
  })
})
