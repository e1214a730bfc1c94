import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ageText, bytesText, countText, daysUntil, delayText } from '../../../../src/domain/api/overview/figureTexts.js'

const unitMs: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }
const unitBytes: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, PB: 1e15 }

/** What the text says, in the smallest unit. */
const readBack = (text: string, units: Readonly<Record<string, number>>): number =>
  [...text.replaceAll(',', '').matchAll(/([\d.]+) (\w+)/g)].reduce(
    (sum, [, value, unit]) => sum + Number(value) * (units[unit ?? ''] ?? Number.NaN),
    0,
  )

describe('figures as texts', () => {
  it('an age is never more than what has passed, and less by under a second or half of it', () =>
    fc.assert(
      fc.property(fc.nat(10 ** 12), (ms) => {
        const said = readBack(ageText(ms), unitMs)
        expect(said).toBeLessThanOrEqual(ms)
        expect(ms - said).toBeLessThan(Math.max(1_000, ms / 2))
      }),
    ))

  it('an age never falls while time passes', () =>
    fc.assert(
      fc.property(fc.nat(10 ** 12), fc.nat(10 ** 9), (ms, more) => {
        expect(readBack(ageText(ms + more), unitMs)).toBeGreaterThanOrEqual(readBack(ageText(ms), unitMs))
      }),
    ))

  it('bytes are right to a twentieth, in at most seven characters', () =>
    fc.assert(
      fc.property(fc.oneof(fc.nat(), fc.nat(2_000), fc.integer({ min: 0, max: 10 ** 15 })), (bytes) => {
        const text = bytesText(bytes)
        expect(Math.abs(readBack(text, unitBytes) - bytes)).toBeLessThanOrEqual(bytes / 20)
        expect(text.length).toBeLessThanOrEqual(7)
      }),
    ))

  it('a count has its digits and a comma before each three of them', () =>
    fc.assert(
      fc.property(fc.nat(), (count) => {
        expect(Number(countText(count).replaceAll(',', ''))).toBe(count)
        expect(countText(count)).toMatch(/^\d{1,3}(,\d{3})*$/)
      }),
    ))

  it.each([
    [Number.NaN, '0 s'],
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [3_600_000, '1 h'],
    [12_000_000, '3 h 20 min'],
    [12 * 86_400_000, '12 d'],
  ])('the age of %d is %s', (ms, text) => expect(ageText(ms)).toBe(text))

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1_234, '1.2 kB'],
    [999_999, '1.0 MB'],
    [34_000_000, '34 MB'],
  ])('%d bytes are %s', (bytes, text) => expect(bytesText(bytes)).toBe(text))

  it.each([
    [0.04, '0 ms'],
    [0.42, '0.4 ms'],
    [9.96, '10 ms'],
    [999.6, '1.0 s'],
  ])('a delay of %d is %s', (ms, text) => expect(delayText(ms)).toBe(text))

  it('a certificate that ended an hour ago has less than no day left', () => expect(daysUntil(0, 3_600_000)).toBe(-1))
})
