/** A merged.mg reaches an agent as it is, whatever is in it, or is refused before a piece was sent. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { isControl } from '../../../src/wire/agents/controlMessage.js'
import { readMerged } from '../../../src/wire/agents/readMerged.js'
import { checkPushable, MergedReceiver, pushPieceEnd } from '../../../src/wire/agents/sharedPush.js'
import { unpackMerged } from '../../support/agents/unpackedMerged.js'

const md5 = (content: Uint8Array): string => createHash('md5').update(content).digest('hex')

const piecesOf = (content: Uint8Array): Uint8Array[] => {
  const pieces: Uint8Array[] = []
  for (let from = 0; from < content.byteLength; ) {
    const end = pushPieceEnd(content, from)
    pieces.push(content.subarray(from, end))
    from = end
  }
  return pieces
}

/** Full of what looks like a control message, at any place. */
const contents = fc
  .tuple(
    fc.nat(2_000),
    fc.array(fc.constantFrom('#!-', '#', '#!', '-', '!-', '#!-#!-#!-', 'text\n'), { minLength: 1, maxLength: 1_500, size: 'max' }),
  )
  .map(([before, parts]) => Buffer.from(`#${'x'.repeat(before)}${parts.join('')}`))

describe('a merged.mg on its way', () => {
  it('goes in pieces of at most 900 bytes, of which none looks like a control message', () =>
    fc.assert(
      fc.property(contents, (content) => {
        fc.pre(checkPushable(content).ok)
        const pieces = piecesOf(content)
        for (const piece of pieces) {
          expect(piece.byteLength).toBeGreaterThan(0)
          expect(piece.byteLength).toBeLessThanOrEqual(limits.agentPushChunkBytesMax)
          expect(isControl(piece)).toBe(false)
        }
        expect(Buffer.concat(pieces).equals(content)).toBe(true)
      }),
    ))

  it('arrives as it was sent', () =>
    fc.assert(
      fc.property(contents, (content) => {
        const receiver = new MergedReceiver()
        receiver.start(md5(content))
        for (const piece of piecesOf(content)) expect(receiver.take(piece).ok).toBe(true)
        const received = receiver.end()
        expect(received.ok && received.value?.equals(content)).toBe(true)
        expect(receiver.isReceiving).toBe(false)
      }),
    ))

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a NUL', Buffer.from('#default\n!1 a\n\0')],
    ['the mark of a control message first', Buffer.from('#!-group\n')],
  ])('is refused with %s', (_, content) => expect(checkPushable(content)).toMatchObject({ ok: false, error: { code: 'malformed' } }))

  it('is refused by the agent when a piece was lost', () => {
    const receiver = new MergedReceiver()
    receiver.start(md5(Buffer.from('whole')))
    receiver.take(Buffer.from('who'))
    expect(receiver.end()).toMatchObject({ ok: false, error: { code: 'digestMismatch' } })
    expect(receiver.end()).toEqual({ ok: true, value: undefined })
  })
})

describe('a merged.mg that is read', () => {
  const names = fc.stringMatching(/^[a-z]{1,8}(\/[a-z]{1,5})?$/)
  const merged = fc.array(fc.tuple(names, fc.uint8Array({ maxLength: 50 })), { maxLength: 6 }).map((files) => ({
    files,
    content: Buffer.concat([
      Buffer.from('#default\n'),
      ...files.flatMap(([name, content]) => [Buffer.from(`!${content.byteLength} ${name}\n`), content]),
    ]),
  }))

  it('has the files that it was made of', () =>
    fc.assert(
      fc.property(merged, ({ content, files }) => {
        const read = readMerged(content)
        if (!read.ok) expect.fail(read.error.message)
        expect(read.value.title).toBe('default')
        expect(read.value.files.map((file) => [file.name, [...file.content]])).toEqual(files.map(([name, bytes]) => [name, [...bytes]]))
      }),
    ))

  it('is refused when an agent would refuse it, and only then, wherever it is cut or changed', () =>
    fc.assert(
      fc.property(merged, fc.nat(), fc.nat(), fc.option(fc.nat(255)), ({ content }, where, cut, changed) => {
        const bytes = Buffer.from(content.subarray(0, content.byteLength - (cut % 3)))
        if (changed !== null) bytes[where % bytes.byteLength] = changed
        let isUnpacked = true
        try {
          unpackMerged(bytes)
        } catch {
          isUnpacked = false
        }
        expect(readMerged(bytes).ok).toBe(isUnpacked)
      }),
    ))

  it.each(['../x', 'a/../../x', '/etc/passwd', '..\\x'])('is refused with the name %s', (name) =>
    expect(readMerged(Buffer.from(`#g\n!1 ${name}\nx`))).toMatchObject({ ok: false, error: { code: 'malformed' } }),
  )
})
