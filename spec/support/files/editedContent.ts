/** Contents of two versions of a file: one after edits of the other by an operator, a program or an attacker. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'

export const noise = (seed: number, bytes: number): Buffer => createHash('shake256', { outputLength: bytes }).update(`${seed}`).digest()

const lines = (seed: number, bytes: number): Buffer =>
  Buffer.from(
    noise(seed, Math.floor(bytes / 2))
      .toString('hex')
      .replace(/(.{63})./g, '$1\n'),
  )

type Edit = (content: Buffer) => Buffer

const at = (content: Buffer, place: number): number => Math.floor(place * content.length)
const place = fc.double({ min: 0, max: 1, noNaN: true })
const part = fc.tuple(place, place).map(([one, other]): readonly [number, number] => (one < other ? [one, other] : [other, one]))

const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(place, fc.uint8Array({ maxLength: 300 })).map(
    ([where, bytes]): Edit =>
      (old) =>
        Buffer.concat([old.subarray(0, at(old, where)), bytes, old.subarray(at(old, where))]),
  ),
  part.map(
    ([from, to]): Edit =>
      (old) =>
        Buffer.concat([old.subarray(0, at(old, from)), old.subarray(at(old, to))]),
  ),
  place.map(
    (where): Edit =>
      (old) => {
        const after = Buffer.from(old)
        if (after.length > 0)
          after.writeUInt8(after.readUInt8(Math.min(after.length - 1, at(old, where))) ^ 1, Math.min(after.length - 1, at(old, where)))
        return after
      },
  ),
  part.map(
    ([from, to]): Edit =>
      (old) =>
        Buffer.concat([old, old.subarray(at(old, from), at(old, to))]),
  ),
  part.map(
    ([from, to]): Edit =>
      (old) =>
        Buffer.concat([old.subarray(at(old, from), at(old, to)), old]),
  ),
  place.map(
    (where): Edit =>
      (old) =>
        Buffer.concat([old.subarray(at(old, where)), old.subarray(0, at(old, where))]),
  ),
  fc.constant((): Buffer => Buffer.alloc(0)),
  fc.nat(9).map(
    (seed): Edit =>
      () =>
        noise(seed, 150_000),
  ),
)

/** @param bytesMin of both */
export const edited = ({ bytesMin }: { bytesMin: number }): fc.Arbitrary<{ before: Buffer; after: Buffer }> =>
  fc
    .tuple(
      fc.constantFrom(noise, lines, (seed: number, bytes: number) => Buffer.alloc(bytes, seed)),
      fc.nat(9),
      fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 65_000, max: 300_000 })),
      fc.array(edits, { maxLength: 4 }),
    )
    .map(([create, seed, bytes, changes]) => {
      const before = create(seed, bytes)
      return { before, after: changes.reduce((content, change) => change(content), before) }
    })
    .filter(({ after, before }) => Math.min(before.length, after.length) >= bytesMin)
