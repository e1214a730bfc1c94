/** Frames survive any way in which a stream splits and joins them, and nothing that was changed on the way. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CipherState } from '../../../src/wire/muster/cipherState.js'
import { FrameGatherer, FrameOpener, FrameSealer } from '../../../src/wire/muster/frames.js'

const plainBytesMax = 100_000
const key = Buffer.alloc(32, 9)

const plaintexts = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 200 }),
    fc.nat({ max: 60_000 }).map((size) => new Uint8Array(size + 1).fill(size)),
  ),
  {
    minLength: 1,
    maxLength: 12,
  },
)
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 30 }), fc.integer({ min: 1, max: 70_000 })), { minLength: 1, maxLength: 40 })

const sealAll = (frames: readonly Uint8Array[], framesPerRekey: number): Buffer => {
  const sealer = new FrameSealer(new CipherState(key), framesPerRekey)
  return Buffer.concat(frames.flatMap((frame) => sealer.seal([frame.subarray(0, 3), frame.subarray(3)], frame.byteLength)))
}

/** Splits bytes as a socket may deliver them: by the sizes of `cuts` in turn. */
const reads = (wire: Buffer, sizes: readonly number[]): Buffer[] => {
  const parts: Buffer[] = []
  for (let at = 0, turn = 0; at < wire.byteLength; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    parts.push(Buffer.from(wire.subarray(at, at + size)))
    at += size
  }
  return parts
}

const openAll = (
  parts: readonly Uint8Array[],
  framesPerRekey: number,
): { readonly frames: Buffer[]; readonly code: string | undefined; readonly waiting: number } => {
  const opener = new FrameOpener(new CipherState(key), framesPerRekey)
  const gatherer = new FrameGatherer(plainBytesMax)
  const frames: Buffer[] = []
  for (const part of parts) {
    gatherer.append(part)
    for (;;) {
      const next = gatherer.next()
      if (!next.ok) return { frames, code: next.error.code, waiting: gatherer.waiting }
      if (!next.value) break
      const opened = opener.open(next.value)
      if (!opened.ok) return { frames, code: opened.error.code, waiting: gatherer.waiting }
      frames.push(opened.value)
    }
  }
  return { frames, code: undefined, waiting: gatherer.waiting }
}

describe('frames', () => {
  it('come out as they went in, however they are split and joined, across any number of new keys', () =>
    fc.assert(
      fc.property(plaintexts, cuts, fc.integer({ min: 1, max: 5 }), (frames, sizes, framesPerRekey) => {
        const outcome = openAll(reads(sealAll(frames, framesPerRekey), sizes), framesPerRekey)
        expect(outcome.code).toBeUndefined()
        expect(outcome.waiting).toBe(0)
        expect(Buffer.concat(outcome.frames).equals(Buffer.concat(frames))).toBe(true)
        expect(outcome.frames.map((frame) => frame.byteLength)).toEqual(frames.map((frame) => frame.byteLength))
      }),
      { numRuns: 60 },
    ))

  it('renew the key after the same frame on both sides: an opener that does not fails at the boundary', () => {
    const frames = Array.from({ length: 9 }, (_, at) => Uint8Array.of(at + 1))
    const wire = sealAll(frames, 4)
    expect(openAll([wire], 4).frames).toHaveLength(9)
    expect(openAll([wire], 1_000)).toMatchObject({ code: 'notAuthentic', frames: { length: 4 } })
  })

  it('are never taken when a bit was flipped: those before are, those after are not', () =>
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 100 }), { minLength: 1, maxLength: 6 }),
        cuts,
        fc.nat(),
        (frames, sizes, place) => {
          const wire = sealAll(frames, 3)
          const bit = place % (8 * wire.byteLength)
          wire[bit >> 3] = (wire[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          const { frames: taken, code } = openAll(reads(wire, sizes), 3)
          expect(taken.length).toBeLessThan(frames.length)
          expect(taken.every((frame, at) => frame.equals(frames[at] ?? key))).toBe(true)
          // A length that grew within the limit waits for bytes that never come; everything else is noticed.
          expect([undefined, 'notAuthentic', 'tooLarge', 'malformed']).toContain(code)
        },
      ),
      { numRuns: 150 },
    ))

  it('are not taken twice, or in another order', () => {
    const sealer = new FrameSealer(new CipherState(key), 1_000)
    const [first, second] = [1, 2].map((byte) => Buffer.concat(sealer.seal([Uint8Array.of(byte)], 1)))
    if (!first || !second) throw new Error('two frames were sealed')
    expect(openAll([first, first], 1_000)).toMatchObject({ code: 'notAuthentic', frames: { length: 1 } })
    expect(openAll([second, first], 1_000)).toMatchObject({ code: 'notAuthentic', frames: { length: 0 } })
  })

  it('over the limit or empty are refused as soon as their length is known', () => {
    const length = (bytes: number): Buffer => {
      const header = Buffer.alloc(4)
      header.writeUInt32BE(bytes)
      return header
    }
    expect(openAll([length(plainBytesMax + 17)], 4).code).toBe('tooLarge')
    expect(openAll([length(plainBytesMax + 16)], 4).code).toBeUndefined()
    expect(openAll([length(16)], 4).code).toBe('malformed')
    expect(openAll([length(0)], 4).code).toBe('malformed')
  })
})
