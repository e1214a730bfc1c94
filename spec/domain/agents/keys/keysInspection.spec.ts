import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../../src/base/limits.js'
import { ClientKeys, hasControlCharacter } from '../../../../src/domain/agents/clientKeys.js'
import { KeysInspection } from '../../../../src/domain/agents/keys/keysInspection.js'
import { type LastingFile, lastingEntry } from '../../../../src/domain/files/lastingFile.js'

const inspected = (content: Buffer, cuts: readonly number[] = []) => {
  const inspection = new KeysInspection()
  let start = 0
  for (const end of [...new Set(cuts.map((cut) => cut % (content.length + 1))), content.length].sort((a, b) => a - b)) {
    inspection.take(content.subarray(start, end))
    start = end
  }
  return inspection.end()
}

const pieces = fc.oneof(
  fc.constantFrom(
    '001 web any aa',
    '002 !db any bb',
    '\n',
    '\r\n',
    ' ',
    '# a comment',
    'ü',
    '€',
    'x'.repeat(limits.keysLineBytesMax),
    '003 we',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
)
const contents = fc.oneof(
  { weight: 4, arbitrary: fc.array(pieces, { maxLength: 8 }).map((list) => Buffer.from(list.join(''))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)) },
)
const cutLists = fc.array(fc.nat(), { maxLength: 6 })
const isOnlyComments = (content: Buffer): boolean => {
  const lines = content
    .toString('latin1')
    .split('\n')
    .filter((line) => line.trim() !== '')
  return lines.length > 0 && lines.every((line) => /^[ \t]*#/.test(line) && line.length <= limits.keysLineBytesMax)
}

describe('an inspection of client.keys', () => {
  it('finds what a node with agents finds, except in a file of comments, however the content is cut', () =>
    fc.assert(
      fc.property(contents, cutLists, (content, cuts) => {
        const known = new ClientKeys().replace(content, true)
        const expected = content.length === 0 ? 'noLine' : known
        const found = inspected(content, cuts)
        expect(found).toBe(typeof expected !== 'string' || (expected === 'noLine' && isOnlyComments(content)) ? undefined : expected)
      }),
      { numRuns: 2_000 },
    ))

  it('finds control characters at any place and memory offset, and no other byte', () =>
    fc.assert(
      fc.property(
        fc.nat(3),
        fc.array(fc.constantFrom(0x1f, 0x20, 0x7f, 0x80, 0x9f, 0xff, 9, 10, 13, 0x61), { maxLength: 20 }),
        (offset, all) => {
          const memory = new Uint8Array(offset + all.length)
          memory.set(all, offset)
          expect(hasControlCharacter(memory.subarray(offset))).toBe(all.includes(0x1f))
        },
      ),
    ))

  it('calls no file sound that has no agent and a line which cannot be used', () =>
    fc.assert(
      fc.property(fc.array(fc.constantFrom('# one', '', '#', 'garbage', '001 cut'), { maxLength: 6 }), (lines) => {
        const isSound = inspected(Buffer.from(lines.join('\n'))) === undefined
        expect(isSound).toBe(lines.some((line) => line.startsWith('#')) && !lines.some((line) => line === 'garbage' || line === '001 cut'))
      }),
    ))
})

describe('the entry of a lasting file', () => {
  const path = 'etc/client.keys'
  const entryOf = (size: number, nonsense?: 'noise' | 'noLine') => ({
    path,
    size,
    mode: 0o640,
    digest: 'a'.repeat(64),
    ...(nonsense && { nonsense }),
  })
  const lasting = (isLasting: boolean): LastingFile => ({ path, isLasting: () => isLasting })

  it('is held exactly for noise, and after there were agents also when missing, empty or without agents', () => {
    const isHeld = (was: boolean, found?: ReturnType<typeof entryOf>) => lastingEntry(lasting(was), found)?.held === true
    for (const was of [true, false]) {
      expect(isHeld(was, entryOf(9, 'noise'))).toBe(true)
      expect(isHeld(was, entryOf(9, 'noLine'))).toBe(was)
      expect(isHeld(was, entryOf(0))).toBe(was)
      expect(isHeld(was)).toBe(was)
      expect(isHeld(was, entryOf(9))).toBe(false)
    }
  })
})
