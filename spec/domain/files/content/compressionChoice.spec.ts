import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../../src/base/limits.js'
import {
  type Arrival,
  choosesCompression,
  slowWireBytesPerSecond,
  unknownSpeeds,
  withTransfer,
} from '../../../../src/domain/files/content/compressionChoice.js'

const speed = fc.double({ min: 0, max: 1e9, noNaN: true })
const slow = fc.double({ min: 1, max: slowWireBytesPerSecond, maxExcluded: true, noNaN: true })
const fast = fc.double({ min: slowWireBytesPerSecond, max: 1e12, noNaN: true })
const perhaps = fc.option(speed, { nil: undefined })
const blockBytes = fc.integer({ min: 1_000, max: 262_144 })

/** A block that came over a wire of this speed, after the sender made a pause; with enough content to learn from. */
const arrivalOver = (bytesPerSecond: number, wireBytes: number, pauseMs = 0): Arrival => ({
  contentBytes: limits.streamWindowBytes,
  wireBytes,
  waitedMs: (wireBytes / bytesPerSecond) * 1000 + pauseMs,
})

describe('compression choice', () => {
  it('follows the configuration when it says always or never', () =>
    fc.assert(
      fc.property(perhaps, perhaps, perhaps, (plain, packed, wire) => {
        expect(choosesCompression('always', { plain, packed, wire })).toBe(true)
        expect(choosesCompression('never', { plain, packed, wire })).toBe(false)
      }),
    ))

  it('by itself compresses nothing before a wire was seen to be slow, or on a fast one', () =>
    fc.assert(
      fc.property(fc.option(fast, { nil: undefined }), perhaps, perhaps, (wire, plain, packed) => {
        expect(choosesCompression('auto', { plain, packed, wire })).toBe(false)
      }),
    ))

  it('by itself compresses where the wire is slow, until packed content was clearly slower', () =>
    fc.assert(
      fc.property(slow, slow, fc.double({ min: 0, max: 10, noNaN: true }), (wire, plain, ratio) => {
        expect(choosesCompression('auto', { plain, packed: undefined, wire })).toBe(true)
        if (ratio >= 1) expect(choosesCompression('auto', { plain, packed: plain * ratio, wire })).toBe(true)
        else if (ratio <= 0.7) expect(choosesCompression('auto', { plain, packed: plain * ratio, wire })).toBe(false)
      }),
    ))

  it('distinguishes a slow wire from a sender that pauses before fewer than half of its blocks', () =>
    fc.assert(
      fc.property(
        fc.double({ min: 1e5, max: 1e9, noNaN: true }),
        fc.array(fc.tuple(blockBytes, fc.double({ min: 0, max: 1e6, noNaN: true })), { minLength: 1, maxLength: 40 }),
        fc.boolean(),
        (wire, blocks, wasPacked) => {
          const paused = Math.ceil(blocks.length / 2) - 1
          const arrivals = blocks.map(([bytes, pauseMs], index) => arrivalOver(wire, bytes, index < paused ? pauseMs : 0))
          const speeds = withTransfer(unknownSpeeds, wasPacked, arrivals)
          expect(speeds.wire).toBeCloseTo(wire, -Math.log10(wire / 1e6))
          expect(choosesCompression('auto', speeds)).toBe((speeds.wire ?? 0) < slowWireBytesPerSecond)
        },
      ),
    ))

  it('counts what came packed apart from what came plain, as bytes of the files', () =>
    fc.assert(
      fc.property(
        speed,
        fc.boolean(),
        fc.integer({ min: limits.streamWindowBytes, max: 2 ** 40 }),
        fc.double({ min: 0.001, max: 1e6, noNaN: true }),
        (known, wasPacked, contentBytes, waitedMs) => {
          const before = { plain: known, packed: known, wire: known }
          const after = withTransfer(before, wasPacked, [{ contentBytes, wireBytes: 1_000, waitedMs }])
          const bytesPerSecond = (contentBytes / waitedMs) * 1000
          expect(after.plain).toBe(wasPacked ? known : bytesPerSecond)
          expect(after.packed).toBe(wasPacked ? bytesPerSecond : known)
        },
      ),
    ))

  it('learns nothing from a transfer that was never waited for', () =>
    fc.assert(
      fc.property(perhaps, fc.array(blockBytes, { maxLength: 5 }), (plain, blocks) => {
        const before = { plain, packed: undefined, wire: plain }
        const arrivals = blocks.map((bytes) => ({ contentBytes: limits.streamWindowBytes, wireBytes: bytes, waitedMs: 0 }))
        expect(withTransfer(before, false, arrivals)).toEqual(before)
      }),
    ))

  it('learns nothing from a transfer of less content than a window, however many blocks it came in', () => {
    const blocks = 4
    for (const [contentBytes, isConclusive] of [
      [limits.streamWindowBytes / blocks - 1, false],
      [limits.streamWindowBytes / blocks, true],
    ] as const) {
      const arrivals = Array.from({ length: blocks }, () => ({ contentBytes, wireBytes: 1_000, waitedMs: 1_000 }))
      expect(withTransfer(unknownSpeeds, false, arrivals) !== unknownSpeeds).toBe(isConclusive)
    }
  })
})
