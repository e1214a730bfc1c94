import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { choosesCompression, slowWireBytesPerSecond } from '../../src/domain/compressionChoice.js'

const speeds = fc.option(fc.double({ min: 0, max: 1e12, noNaN: true }), { nil: undefined })

describe('compression choice', () => {
  it('follows the configuration when it says always or never', () =>
    fc.assert(
      fc.property(speeds, (speed) => {
        expect(choosesCompression('always', speed)).toBe(true)
        expect(choosesCompression('never', speed)).toBe(false)
      }),
    ))

  it('by itself compresses only on a wire that was seen to be slow', () =>
    fc.assert(
      fc.property(speeds, (speed) => {
        expect(choosesCompression('auto', speed)).toBe(speed !== undefined && speed < slowWireBytesPerSecond)
      }),
    ))
})
