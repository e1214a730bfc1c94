/** Our inflater takes what zlib takes, gives what zlib gives, and refuses what zlib refuses, within its bound. */
import { constants, deflateSync, inflateRawSync, type ZlibOptions } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Inflater, notDeflated, tooMuch } from '../../../src/wire/agents/inflater.js'

const roomBytes = 65_536
const inflater = new Inflater()
const target = new Uint8Array(roomBytes)

const contents = fc.oneof(
  fc.uint8Array({ maxLength: 2_000, size: 'max' }),
  fc
    .array(fc.constantFrom('user=alice ', 'action=login ', 'src=10.0.0.1 ', '\n', 'ä', '0'), { maxLength: 400, size: 'max' })
    .map((words) => Buffer.from(words.join(''))),
  fc.tuple(fc.nat(60_000), fc.nat(255)).map(([bytes, value]) => new Uint8Array(bytes).fill(value)),
  fc
    .tuple(fc.nat(40_000), fc.nat())
    .map(([bytes, seed]) => Uint8Array.from({ length: bytes }, (_, at) => ((at * 2_654_435_761 + seed) >>> 13) & (at & 64 ? 255 : 7))),
)
const options: fc.Arbitrary<ZlibOptions> = fc.record({
  level: fc.integer({ min: 0, max: 9 }),
  memLevel: fc.integer({ min: 1, max: 9 }),
  windowBits: fc.integer({ min: 9, max: 15 }),
  strategy: fc.constantFrom(
    constants.Z_DEFAULT_STRATEGY,
    constants.Z_FILTERED,
    constants.Z_HUFFMAN_ONLY,
    constants.Z_RLE,
    constants.Z_FIXED,
  ),
})

/** What zlib makes of the stream without its header and checksum: ours does not check the sum, but wants it to be there. */
const byZlib = (stream: Uint8Array): Buffer | undefined => {
  try {
    return inflateRawSync(stream.subarray(2), { maxOutputLength: roomBytes })
  } catch {
    return undefined
  }
}

const byUs = (stream: Uint8Array): Uint8Array | undefined => {
  const written = inflater.inflate(target, stream, 0)
  return written < 0 ? undefined : target.subarray(0, written)
}

const areSame = (a: Uint8Array | undefined, b: Uint8Array | undefined): boolean =>
  a === undefined || b === undefined ? a === b : Buffer.compare(a, b) === 0

describe('the inflater', () => {
  it('gives back what zlib deflated, at any level, with any strategy', () =>
    fc.assert(
      fc.property(contents, options, fc.uint8Array({ maxLength: 9 }), (content, how, before) => {
        const stream = Buffer.concat([before, deflateSync(content, how)])
        expect(inflater.inflate(target, stream, before.byteLength)).toBe(content.byteLength)
        expect(areSame(target.subarray(0, content.byteLength), content)).toBe(true)
      }),
      { numRuns: 400 },
    ))

  it('makes of a stream that was changed what zlib makes of it', () =>
    fc.assert(
      fc.property(contents, options, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (content, how, changes) => {
        const stream = Buffer.from(deflateSync(content, how))
        // The sum at the end is not compared, so that what was changed before it decides.
        for (const [at, value] of changes) stream[2 + (at % Math.min(stream.byteLength - 2, 300))] = value
        const padded = Buffer.concat([stream, Buffer.alloc(8)])
        expect(areSame(byUs(padded), byZlib(padded))).toBe(true)
      }),
      { numRuns: 2_000 },
    ))

  it('makes of any bytes what zlib makes of them', () =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 120, size: 'max' }), fc.nat(3), (bytes, block) => {
        const stream = Buffer.from([0x78, 0x9c, ...bytes, 0, 0, 0, 0])
        stream[2] = ((bytes[0] ?? 0) & 0xf8) | (block << 1) | 1
        expect(areSame(byUs(Buffer.concat([stream, Buffer.alloc(4)])), byZlib(Buffer.concat([stream, Buffer.alloc(4)])))).toBe(true)
      }),
      { numRuns: 3_000 },
    ))

  it('refuses a stream that is cut anywhere', () => {
    const stream = deflateSync('user=alice action=login src=10.0.0.1 dst=10.0.0.2 user=bob action=logout 0123456789abcdef'.repeat(3))
    for (let bytes = 0; bytes < stream.byteLength; bytes++) expect(inflater.inflate(target, stream.subarray(0, bytes), 0)).toBe(notDeflated)
    expect(inflater.inflate(target, stream, 0)).toBeGreaterThan(0)
  })

  it('stops at the end of its room, and fills it', () => {
    const whole = deflateSync(new Uint8Array(roomBytes))
    expect(inflater.inflate(target, whole, 0)).toBe(roomBytes)
    for (const level of [0, 1, 9]) expect(inflater.inflate(target, deflateSync(new Uint8Array(50_000_000), { level }), 0)).toBe(tooMuch)
    expect(inflater.inflate(target, deflateSync(Buffer.alloc(roomBytes + 1, 'abcd'), { strategy: constants.Z_HUFFMAN_ONLY }), 0)).toBe(
      tooMuch,
    )
  })
})
