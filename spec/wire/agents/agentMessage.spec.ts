/** Messages of agents open to what was sealed, and whatever is not one is refused by a code, at a bounded cost. */
import { createHash } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { AgentCipher, paddingBytes } from '../../../src/wire/agents/agentCipher.js'
import { AgentFrameReader } from '../../../src/wire/agents/agentFrames.js'
import { MessageOpener, peekId } from '../../../src/wire/agents/agentMessage.js'
import { isLater, nextCounter, noMessages } from '../../../src/wire/agents/counters.js'
import { isPing, pingMessage, pong } from '../../../src/wire/agents/ping.js'
import { sealMessage } from '../../../src/wire/agents/sealMessage.js'

const entry = { id: 7, name: 'agent7', key: '22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff' }
const opener = new MessageOpener()
const codes = ['malformed', 'notAuthentic', 'tooLarge']

const kinds = fc.constantFrom('aes' as const, 'blowfish' as const)
const counters = fc.record({ global: fc.nat(9_999_999_999), local: fc.nat(9_997) })
const texts = fc.oneof(
  fc.uint8Array({ maxLength: 600, size: 'max' }),
  fc.string({ maxLength: 300 }).map((text) => Buffer.from(text.repeat(20))),
)
const messages = fc.record({
  kind: kinds,
  counter: counters,
  random: fc.nat(65_535),
  text: texts,
  isFramed: fc.boolean(),
  level: fc.constantFrom(0, 1, 6, 9),
})
const ids = fc.option(fc.nat(limits.agentIdMax), { nil: undefined })

/** A message of any plaintext: what an agent can make whose key is known. */
const sealedStream = (cipher: AgentCipher, kind: 'aes' | 'blowfish', plain: Buffer): Buffer => {
  const whole = Buffer.concat([plain, Buffer.alloc((8 - (plain.byteLength % 8)) % 8)])
  const room = Buffer.concat([whole, Buffer.alloc(paddingBytes(kind, whole.byteLength))])
  return Buffer.concat([Buffer.from(kind === 'aes' ? '#AES:' : ':'), cipher.encrypt(kind, room, whole.byteLength)])
}

const withChecksum = (body: string): Buffer => Buffer.from(createHash('md5').update(body).digest('hex') + body)

describe('messages of agents', () => {
  it('open to what was sealed', () =>
    fc.assert(
      fc.property(messages, ids, (message, id) => {
        const cipher = new AgentCipher(entry)
        const sealed = sealMessage({ ...message, cipher, ...(id === undefined ? {} : { id }) })
        if (!sealed.ok) expect.fail(sealed.error.message)
        const reader = new AgentFrameReader()
        reader.append(sealed.value)
        const read = message.isFramed ? reader.next() : sealed
        if (!read.ok || !read.value) expect.fail('there is no frame')
        expect(peekId(read.value)).toBe(id ?? 'none')
        const opened = opener.open(read.value, cipher)
        if (!opened.ok) expect.fail(opened.error.message)
        const { text, ...fields } = opened.value
        expect(fields).toEqual({ cipher: message.kind, random: message.random, ...message.counter })
        expect(text.equals(message.text)).toBe(true)
      }),
    ))

  it('are refused with another key, changed anywhere or cut anywhere, and the next one opens', () =>
    fc.assert(
      fc.property(messages, fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(2), (message, where, mask, how) => {
        const cipher = new AgentCipher(entry)
        const sealed = sealMessage({ ...message, isFramed: false, cipher, id: entry.id })
        if (!sealed.ok) expect.fail(sealed.error.message)
        const at = where % sealed.value.byteLength
        const changed = Buffer.from(sealed.value)
        changed[at] = (changed[at] ?? 0) ^ mask
        const opened =
          how === 0
            ? opener.open(sealed.value, new AgentCipher({ ...entry, key: '0' }))
            : opener.open(how === 1 ? changed : sealed.value.subarray(0, at), cipher)
        // What is changed may be the ID alone, or the sum of the zlib stream, which has a better one inside.
        if (how !== 1) expect(opened.ok).toBe(false)
        if (opened.ok) expect(opened.value.text.equals(message.text)).toBe(true)
        else expect(codes).toContain(opened.error.code)
        expect(opener.open(sealed.value, cipher).ok).toBe(true)
      }),
      { numRuns: 300 },
    ))

  it('of any bytes are refused by a code', () =>
    fc.assert(
      fc.property(
        fc.constantFrom('', '!', '!007!', '!007!#AES:', '!007!:', '#AES:', ':', '#AES'),
        fc.uint8Array({ maxLength: 200 }),
        (start, bytes) => {
          const message = Buffer.concat([Buffer.from(start), bytes])
          peekId(message)
          const opened = opener.open(message, new AgentCipher(entry))
          expect(opened.ok ? '' : codes.includes(opened.error.code)).toBe(true)
        },
      ),
    ))

  it.each([
    ['without a padding', deflateSync(withChecksum('123450000000001:0001:text')), 'notAuthentic'],
    ['with a wrong checksum', Buffer.concat([Buffer.from('!'), deflateSync(`${'0'.repeat(32)}123450000000001:0001:text`)]), 'notAuthentic'],
    ['with less than a checksum', Buffer.concat([Buffer.from('!'), deflateSync('short')]), 'notAuthentic'],
    ['without counters', Buffer.concat([Buffer.from('!'), deflateSync(withChecksum('123450000000001:'))]), 'malformed'],
    ['with letters for counters', Buffer.concat([Buffer.from('!'), deflateSync(withChecksum('12345000000000x:0001:text'))]), 'malformed'],
    ['without colons', Buffer.concat([Buffer.from('!'), deflateSync(withChecksum('123450000000001.0001.text'))]), 'malformed'],
    ['without the second colon', Buffer.concat([Buffer.from('!'), deflateSync(withChecksum('123450000000001:0001.text'))]), 'malformed'],
    ['that inflate without end', Buffer.concat([Buffer.from('!'), deflateSync(Buffer.alloc(40_000_000))]), 'tooLarge'],
  ])('are refused %s', (_, plain, code) => {
    const cipher = new AgentCipher(entry)
    for (const kind of ['aes', 'blowfish'] as const)
      expect(opener.open(sealedStream(cipher, kind, plain), cipher)).toMatchObject({ ok: false, error: { code } })
  })

  it('hold texts up to the longest that agents send, and no longer ones', () => {
    const cipher = new AgentCipher(entry)
    const message = { cipher, kind: 'aes' as const, counter: { global: 0, local: 1 }, random: 1, id: entry.id, isFramed: false }
    for (const level of [0, 1, 9]) {
      const text = Buffer.from(Array.from({ length: limits.agentTextBytesMax }, (_, at) => ((at * 2_654_435_761) >>> 11) & 255))
      const sealed = sealMessage({ ...message, text, level })
      if (!sealed.ok) expect.fail(sealed.error.message)
      expect(sealed.value.byteLength).toBeLessThanOrEqual(limits.agentFrameBytesMax)
      const opened = opener.open(sealed.value, cipher)
      expect(opened.ok && opened.value.text.equals(text)).toBe(true)
      expect(sealMessage({ ...message, text: Buffer.concat([text, text.subarray(0, 1)]), level })).toMatchObject({
        error: { code: 'tooLarge' },
      })
    }
  })
})

describe('the ID before a message', () => {
  it.each([
    ['!001!#AES:', 1],
    ['!999!:', 999],
    ['!1234!:', 1234],
    ['!000!:', 0],
    ['!1!:', 'invalid'],
    ['!0123!:', 'invalid'],
    ['!abc!:', 'invalid'],
    ['!!:', 'invalid'],
    ['!001', 'invalid'],
    ['!99999999999!:', 'invalid'],
    ['!2147483648!:', 'invalid'],
    ['#AES:', 'none'],
    [':', 'none'],
    ['', 'none'],
  ])('of %j is %s', (text, id) => expect(peekId(Buffer.from(text))).toBe(id))
})

describe('the counters of messages', () => {
  it('roll over where agents let them', () => {
    expect(nextCounter(noMessages)).toEqual({ global: 0, local: 1 })
    expect(nextCounter({ global: 7, local: 9_996 })).toEqual({ global: 7, local: 9_997 })
    expect(nextCounter({ global: 7, local: 9_997 })).toEqual({ global: 8, local: 1 })
  })

  it('of each message are later than those before', () =>
    fc.assert(
      fc.property(
        fc.record({ global: fc.nat(99_999), local: fc.integer({ min: 1, max: 9_997 }) }),
        fc.integer({ min: 1, max: 30 }),
        (first, steps) => {
          let counter = first
          for (let step = 0; step < steps; step++) counter = nextCounter(counter)
          expect(isLater(counter, first)).toBe(true)
          expect(isLater(first, counter)).toBe(false)
          expect(isLater(first, first)).toBe(false)
        },
      ),
    ))
})

describe('a ping', () => {
  it('is one whatever follows it, as real managers have it', () => {
    expect(Buffer.from(pingMessage).toString()).toBe('#ping')
    expect(Buffer.from(pong).toString()).toBe('#pong')
    for (const text of ['#pin', '#pinG', ' #ping', '#pong', '']) expect(isPing(Buffer.from(text))).toBe(false)
    for (const text of ['#ping', '#ping\n']) expect(isPing(Buffer.from(text))).toBe(true)
  })
})
