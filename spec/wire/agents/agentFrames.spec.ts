/** Frames of agents survive any way in which a stream splits and joins them, in memory that what came pays for. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { AgentFrameReader, framed, frameHeaderBytes } from '../../../src/wire/agents/agentFrames.js'

const messages = fc.array(
  fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 300, size: 'max' }),
    fc.integer({ min: 1, max: limits.agentFrameBytesMax }).map((size) => new Uint8Array(size).fill(size)),
  ),
  { minLength: 1, maxLength: 10 },
)
const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 70_000 })), { minLength: 1, maxLength: 30 })

const readAll = (
  reader: AgentFrameReader,
  wire: Buffer,
  reads: readonly number[],
): { readonly messages: Buffer[]; readonly code?: string } => {
  const read: Buffer[] = []
  for (let at = 0, turn = 0; at < wire.byteLength; turn++) {
    const size = reads[turn % reads.length] ?? 1
    reader.append(Buffer.from(wire.subarray(at, at + size)))
    at += size
    for (;;) {
      const next = reader.next()
      if (!next.ok) return { messages: read, code: next.error.code }
      if (next.value === undefined) break
      read.push(Buffer.from(next.value))
    }
  }
  return { messages: read }
}

const lengthOnly = (bytes: number): Buffer => {
  const header = Buffer.alloc(frameHeaderBytes)
  header.writeUInt32LE(bytes)
  return header
}

describe('frames of agents', () => {
  it('come out as they went in, however the stream is split', () =>
    fc.assert(
      fc.property(messages, sizes, (sent, reads) => {
        const reader = new AgentFrameReader()
        const { messages: read } = readAll(reader, Buffer.concat(sent.map(framed)), reads)
        expect(read.length).toBe(sent.length)
        for (const [index, message] of sent.entries()) expect(read[index]?.equals(message)).toBe(true)
        expect(reader.waiting).toBe(0)
      }),
    ))

  it('wait for the rest when the stream is cut, wherever it is', () =>
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 4 }), sizes, (sent, reads) => {
        const wire = Buffer.concat(sent.map(framed))
        for (let cut = 0; cut < wire.byteLength; cut++) {
          const reader = new AgentFrameReader()
          const { code, messages: read } = readAll(reader, wire.subarray(0, cut), reads)
          const whole = read.reduce((bytes, message) => bytes + frameHeaderBytes + message.byteLength, 0)
          expect(code).toBeUndefined()
          expect(reader.waiting).toBe(cut - whole)
        }
      }),
      { numRuns: 30 },
    ))

  it.each([
    [0, 'malformed'],
    [limits.agentFrameBytesMax + 1, 'tooLarge'],
    [0xffff_ffff, 'tooLarge'],
  ])('of %i bytes are refused for good, and those before are not', (bytes, code) =>
    fc.assert(
      fc.property(messages, sizes, (sent, reads) => {
        const wire = Buffer.concat([...sent.map(framed), lengthOnly(bytes), framed(Buffer.from('later'))])
        const reader = new AgentFrameReader()
        const read = readAll(reader, wire, reads)
        expect(read).toMatchObject({ code })
        expect(read.messages.length).toBe(sent.length)
        reader.append(framed(Buffer.from('more')))
        expect(reader.next()).toMatchObject({ ok: false, error: { code } })
      }),
      { numRuns: 20 },
    ),
  )

  it('are views of the read when they are whole in it', () => {
    const wire = Buffer.concat([framed(Buffer.from('first')), framed(Buffer.from('second'))])
    const reader = new AgentFrameReader()
    reader.append(wire)
    for (const expected of ['first', 'second']) {
      const next = reader.next()
      expect(next.ok && next.value?.toString()).toBe(expected)
      expect(next.ok && next.value?.buffer === wire.buffer).toBe(true)
    }
  })
})
