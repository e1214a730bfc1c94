import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  clockSkewMs,
  clockSkewWarningMs,
  detectionMsMax,
  healthy,
  isLost,
  isSilent,
  isSkewed,
  missedBeat,
  silenceDetectionMsMax,
} from '../../../src/domain/cluster/heartbeat.js'

describe('heartbeat', () => {
  it('is lost exactly when the allowed number of beats in a row was missed', () =>
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 50 }), fc.integer({ min: 1, max: 6 }), (answered, missedBeatsMax) => {
        const heartbeat = answered.reduce((before, isAnswered) => (isAnswered ? healthy : missedBeat(before)), healthy)
        const missedInARow = answered.length - 1 - answered.lastIndexOf(true)
        expect(isLost(heartbeat, missedBeatsMax)).toBe(missedInARow >= missedBeatsMax)
      }),
    ))

  it('is silent only after more than the allowed time, and is seen to be silent within its bound', () =>
    fc.assert(
      fc.property(
        fc.nat(),
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.nat(),
        (lastBeatMs, silenceMsMax, checkIntervalMs, phase) => {
          expect(isSilent(lastBeatMs, lastBeatMs + silenceMsMax, silenceMsMax)).toBe(false)
          expect(isSilent(lastBeatMs, lastBeatMs + silenceMsMax + 1, silenceMsMax)).toBe(true)
          let checkMs = lastBeatMs + (phase % checkIntervalMs)
          while (!isSilent(lastBeatMs, checkMs, silenceMsMax))
            checkMs += checkIntervalMs * Math.max(1, Math.floor((silenceMsMax - (checkMs - lastBeatMs)) / checkIntervalMs))
          expect(checkMs - lastBeatMs).toBeLessThanOrEqual(silenceDetectionMsMax({ checkIntervalMs, silenceMsMax }))
        },
      ),
    ))

  it('has a bound that grows with the interval, the time-out and the beats allowed', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 1e6 }),
        fc.integer({ min: 1, max: 9 }),
        (intervalMs, answerMsMax, missedBeatsMax) => {
          const bound = detectionMsMax({ intervalMs, answerMsMax, missedBeatsMax })
          expect(detectionMsMax({ intervalMs: intervalMs + 1, answerMsMax, missedBeatsMax })).toBe(bound + missedBeatsMax)
          expect(detectionMsMax({ intervalMs, answerMsMax: answerMsMax + 1, missedBeatsMax })).toBe(bound + missedBeatsMax)
          expect(detectionMsMax({ intervalMs, answerMsMax, missedBeatsMax: missedBeatsMax + 1 })).toBe(bound + intervalMs + answerMsMax)
        },
      ),
    ))

  it('measures the skew of the clocks to within half of what the way there and the way back differ', () =>
    fc.assert(
      fc.property(
        fc.integer({ min: -1e9, max: 1e9 }),
        fc.nat(20_000),
        fc.nat(20_000),
        fc.nat(1e12),
        (skewMs, thereMs, backMs, sentAtMs) => {
          const measured = clockSkewMs({ sentAtMs, receivedAtMs: sentAtMs + thereMs + skewMs, answeredAtMs: sentAtMs + thereMs + backMs })
          expect(Math.abs(measured - skewMs)).toBe(Math.abs(thereMs - backMs) / 2)
        },
      ),
    ))

  it('warns of a skew beyond its bound in either direction', () => {
    expect([-clockSkewWarningMs - 1, -clockSkewWarningMs, 0, clockSkewWarningMs, clockSkewWarningMs + 1].map(isSkewed)).toEqual([
      true,
      false,
      false,
      false,
      true,
    ])
  })
})
