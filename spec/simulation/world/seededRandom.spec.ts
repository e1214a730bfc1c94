import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeededRandom, xoshiro128 } from '../../../src/simulation/world/seededRandom.js'

describe('seeded random', () => {
  it('is xoshiro128** as its authors published it', () => {
    const next = xoshiro128([1, 2, 3, 4])
    expect(Array.from({ length: 10 }, next)).toEqual([
      11_520, 0, 5_927_040, 70_819_200, 2_031_721_883, 1_637_235_492, 1_287_239_034, 3_734_860_849, 3_729_100_597, 4_258_142_804,
    ])
  })

  it('draws the same from the same seed, and something else from another', () =>
    fc.assert(
      fc.property(fc.string(), fc.string(), (seed, other) => {
        const draw = (of: string): readonly unknown[] => {
          const random = new SeededRandom(of)
          return [random.fraction(), [...random.bytes(9)], random.integer(0, 1_000_000)]
        }
        expect(draw(seed)).toEqual(draw(seed))
        if (seed !== other) expect(draw(seed)).not.toEqual(draw(other))
      }),
    ))

  it('forks streams that do not depend on what was drawn before', () =>
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(50), (seed, label, drawn) => {
        const random = new SeededRandom(seed)
        for (let i = 0; i < drawn; i++) random.fraction()
        expect([...random.fork(label).bytes(16)]).toEqual([...new SeededRandom(seed).fork(label).bytes(16)])
        expect([...random.fork(label).bytes(16)]).not.toEqual([...random.fork(`${label}2`).bytes(16)])
      }),
    ))

  it('stays in the range that was asked for, and reaches all of it', () => {
    const random = new SeededRandom(1)
    const integers = Array.from({ length: 2_000 }, () => random.integer(-3, 6))
    expect([...new Set(integers)].sort((a, b) => a - b)).toEqual([-3, -2, -1, 0, 1, 2, 3, 4, 5, 6])
    const fractions = Array.from({ length: 20_000 }, () => random.fraction())
    expect(fractions.every((fraction) => fraction >= 0 && fraction < 1)).toBe(true)
    const mean = fractions.reduce((sum, fraction) => sum + fraction, 0) / fractions.length
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.01)
    for (const length of [0, 1, 3, 4, 5, 17]) expect(random.bytes(length)).toHaveLength(length)
    expect(new Set(random.bytes(10_000)).size).toBe(256)
  })
})
