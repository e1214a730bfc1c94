import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LineBuffer } from '../../../src/wire/enrolment/lineBuffer.js'

const bytesMax = 32
const pieces = fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 8 })

/** What comes of these bytes at once. */
const expected = (bytes: Buffer) => {
  const at = bytes.indexOf('\n')
  if (at < 0) return bytes.length > bytesMax ? { kind: 'tooLong' } : { kind: 'partial' }
  return at + 1 > bytesMax ? { kind: 'tooLong' } : { kind: 'line', line: bytes.toString('latin1', 0, at) }
}

describe('the first line of a connection', () => {
  it('is the same however its bytes are split, and has a bound', () =>
    fc.assert(
      fc.property(pieces, (parts) => {
        const buffer = new LineBuffer(bytesMax)
        let gathered: unknown = { kind: 'partial' }
        const taken: Uint8Array[] = []
        for (const part of parts) {
          taken.push(part)
          const result = buffer.add(part)
          gathered = result
          if (result.kind !== 'partial') break
        }
        expect(gathered).toEqual(expected(Buffer.concat(taken)))
      }),
      { numRuns: 500 },
    ))
})
