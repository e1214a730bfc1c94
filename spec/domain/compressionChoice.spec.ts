import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { choosesCompression, slowWireBytesPerSecond } from '../../src/domain/compressionChoice.js'

const speed = fc.double({ min: 0, max: 1e9, noNaN: true })
const slow = fc.double({ min: 1, max: slowWireBytesPerSecond, maxExcluded: true, noNaN: true })
const fast = fc.double({ min: slowWireBytesPerSecond, max: 1e12, noNaN: true })
const perhaps = fc.option(speed, { nil: undefined })

describe('compression choice', () => {
  it('follows the configuration when it says always or never', () =>
    fc.assert(
      fc.property(perhaps, perhaps, (plain, packed) => {
        expect(choosesCompression('always', { plain, packed })).toBe(true)
        expect(choosesCompression('never', { plain, packed })).toBe(false)
      }),
    ))

  it('by itself compresses nothing before a wire was seen to be slow, nor on a fast one', () =>
    fc.assert(
      fc.property(fc.option(fast, { nil: undefined }), perhaps, (plain, packed) => {
        expect(choosesCompression('auto', { plain, packed })).toBe(false)
      }),
    ))

  it('by itself compresses where plain content was slow, until packed content was clearly slower', () =>
    fc.assert(
      fc.property(slow, fc.double({ min: 0, max: 10, noNaN: true }), (plain, ratio) => {
        expect(choosesCompression('auto', { plain, packed: undefined })).toBe(true)
        if (ratio >= 1) expect(choosesCompression('auto', { plain, packed: plain * ratio })).toBe(true)
        else if (ratio <= 0.7) expect(choosesCompression('auto', { plain, packed: plain * ratio })).toBe(false)
      }),
    ))
})
