import { deflateRawSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { ContentBlockWriter, type ContentPiece, decodeContentBlock, filesInBlock } from '../../../src/wire/muster/contentBlock.js'

const status = fc.constantFrom('more' as const, 'last' as const, 'gone' as const, 'changed' as const)
const content = fc.oneof(
  fc.uint8Array({ maxLength: 3_000 }),
  fc.nat(60_000).map((length) => new Uint8Array(length).fill(7)),
)
const position = { file: fc.nat(2 ** 32 - 1), offset: fc.maxSafeNat() }
const pieces: fc.Arbitrary<ContentPiece> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ...position, status, bytes: content }) },
  {
    weight: 1,
    arbitrary: fc.record({ ...position, message: fc.string({ unit: 'grapheme', maxLength: 60 }) }).map(({ message, ...rest }) => ({
      ...rest,
      status: 'failed' as const,
      bytes: new Uint8Array(0),
      failure: { code: 'fileFailed' as const, message },
    })),
  },
)

const write = (wanted: readonly ContentPiece[], compress: boolean): { block: Uint8Array; written: ContentPiece[] } => {
  const writer = new ContentBlockWriter()
  const written: ContentPiece[] = []
  for (const piece of wanted) {
    if (writer.room < piece.bytes.length) break
    writer.free.set(piece.bytes)
    writer.add(piece, piece.bytes.length)
    written.push(piece)
  }
  return { block: writer.finish(compress), written }
}

const plain = (piece: ContentPiece) => ({ ...piece, bytes: Buffer.from(piece.bytes).toString('hex') })

describe('a content block', () => {
  it('brings every piece that fits to the other side as it was, deflated or not, within its bound', () =>
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), fc.boolean(), (wanted, compress) => {
        const { block, written } = write(wanted, compress)
        expect(block.length).toBeLessThanOrEqual(limits.streamChunkBytesMax)
        const decoded = decodeContentBlock(block)
        if (!decoded.ok) throw decoded.error
        expect(decoded.value.map(plain)).toEqual(written.map(plain))
        expect(filesInBlock(block)).toEqual({ ok: true, value: written.map((piece) => piece.file) })
      }),
      { numRuns: 200 },
    ))

  it('is filled to the brim with the longest failures without outgrowing its bound', () => {
    const writer = new ContentBlockWriter()
    const failure = { code: 'fileFailed' as const, message: 'ä'.repeat(2_000) }
    while (writer.room >= 1) writer.add({ file: 1, offset: 0, status: 'failed', failure }, 0)
    const block = writer.finish(false)
    expect(block.length).toBeLessThanOrEqual(limits.streamChunkBytesMax)
    const decoded = decodeContentBlock(block)
    expect(decoded.ok && decoded.value.length).toBe(writer.pieces)
  })

  it('is only deflated where that saves something', () => {
    const sizeOf = (bytes: Uint8Array): number => write([{ file: 0, offset: 0, status: 'last', bytes }], true).block.length
    expect(sizeOf(new Uint8Array(100_000))).toBeLessThan(2_000)
    const noise = Uint8Array.from({ length: 100_000 }, (_, index) => (Math.imul(index + 1, 2_654_435_761) >>> 13) & 0xff)
    expect(sizeOf(noise)).toBeLessThanOrEqual(write([{ file: 0, offset: 0, status: 'last', bytes: noise }], false).block.length)
  })

  it('that is arbitrary bytes is decoded or refused as malformed, never anything else', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const decoded = decodeContentBlock(bytes)
        if (!decoded.ok) expect(decoded.error.code).toBe('malformed')
      }),
      { numRuns: 500 },
    ))

  it('that was tampered with anywhere is decoded or refused as malformed, and never grows past its bound', () =>
    fc.assert(
      fc.property(
        fc.array(pieces, { minLength: 1, maxLength: 4 }),
        fc.boolean(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        (wanted, compress, edits) => {
          const block = Uint8Array.from(write(wanted, compress).block)
          for (const [at, value] of edits) block[at % block.length] = value
          const decoded = decodeContentBlock(block)
          if (decoded.ok)
            expect(decoded.value.reduce((sum, piece) => sum + piece.bytes.length, 0)).toBeLessThanOrEqual(limits.streamChunkBytesMax)
          else expect(decoded.error.code).toBe('malformed')
        },
      ),
      { numRuns: 300 },
    ))

  it('that would inflate to more than it says is refused', () => {
    const bomb = deflateRawSync(new Uint8Array(50_000_000))
    const head = Buffer.alloc(11)
    head.writeUInt8(1, 0)
    head.writeUInt16BE(1, 1)
    head.writeUInt32BE(bomb.length, 3)
    head.writeUInt32BE(1_000, 7)
    const row = Buffer.alloc(17)
    row.writeUInt32BE(1_000, 12)
    const decoded = decodeContentBlock(Buffer.concat([head, bomb, row]))
    expect(!decoded.ok && decoded.error.code).toBe('malformed')
  })
})
