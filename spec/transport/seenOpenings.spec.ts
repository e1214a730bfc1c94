import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SeenOpenings } from '../../src/transport/seenOpenings.js'

const keyOf = (number: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => (number * 31 + index * (number + 7)) & 0xff)

describe('the openings that were seen', () => {
  it('are as many as the bound, and always the latest', () =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.uniqueArray(fc.nat(255), { maxLength: 60 }), (openingsMax, numbers) => {
        const seen = new SeenOpenings(openingsMax)
        for (const number of numbers) seen.add(keyOf(number))
        const known = numbers.filter((number) => seen.has(keyOf(number)))
        expect(known).toEqual(numbers.slice(-openingsMax))
        expect(seen.size).toBe(known.length)
      }),
    ))
})
