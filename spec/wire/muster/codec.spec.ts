/** Every message of the table survives the wire, and nothing that is not in the table gets through. */
import fc from 'fast-check'
import { Packr } from 'msgpackr'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { arbitraryOf } from '../../../src/testing/messageArbitraries.js'
import {
  decodeBody,
  decodeFailure,
  encodeErrorReply,
  encodeNotice,
  encodeReply,
  encodeRequest,
  isNoticeName,
  isRequestName,
  noticeTypeById,
  requestTypeOf,
} from '../../../src/wire/muster/codec.js'
import { notices, requests } from '../../../src/wire/muster/messages.js'
import { isPlain } from '../../../src/wire/muster/plainMessagePack.js'
import { headroom, type RecordVisitor, visitRecords } from '../../../src/wire/muster/records.js'

const packr = new Packr({ useRecords: false })
const anything = (): boolean => true

/** Decoded bytes are Buffers; that they are the same bytes is what matters. */
const plainBytes = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return [...value]
  if (Array.isArray(value)) return value.map(plainBytes)
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, inside]) => [key, plainBytes(inside)]))
  return value
}

const decoded = (record: Buffer, room: number, isRight: (body: unknown) => boolean): unknown => {
  const body = decodeBody(record, room, record.byteLength, isRight)
  if (!body.ok) throw body.error
  return plainBytes(body.value)
}

const thrown = (act: () => unknown): unknown => {
  try {
    return act()
  } catch (error) {
    return error
  }
}

describe('the codec', () => {
  it.each(Object.keys(requests).filter(isRequestName))('carries every %s and every reply to it', (name) => {
    const type = requestTypeOf(name)
    fc.assert(
      fc.property(arbitraryOf(requests[name].request), arbitraryOf(requests[name].reply), (request, reply) => {
        expect(decoded(encodeRequest(type, 7, request), headroom.request, type.isRequest)).toEqual(plainBytes(request))
        expect(decoded(encodeReply(type, 7, reply), headroom.reply, type.isReply)).toEqual(plainBytes(reply))
      }),
      { numRuns: 40 },
    )
  })

  it.each(Object.keys(notices).filter(isNoticeName))('carries every %s', (name) => {
    const type = noticeTypeById(notices[name].id)
    fc.assert(
      fc.property(arbitraryOf(notices[name].notice), (notice) => {
        expect(decoded(encodeNotice(name, notice), headroom.notice, type?.isNotice ?? (() => false))).toEqual(plainBytes(notice))
      }),
      { numRuns: 40 },
    )
  })

  it('never sends what the table does not allow', () => {
    const type = requestTypeOf('session.echo')
    for (const body of [
      undefined,
      {},
      { payload: 'text' },
      { payload: new Uint8Array(limits.echoBytesMax + 1) },
      { payload: new Uint8Array(1), more: 1 },
    ])
      expect(thrown(() => encodeRequest(type, 1, body))).toMatchObject({ code: 'malformed' })
    expect(thrown(() => encodeRequest(requestTypeOf('keepAlive.beat'), 1, { sentAtMs: 1, clockSkewMs: undefined }))).toMatchObject({
      code: 'malformed',
    })
  })

  it('gives a typed error for any bytes', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const body = decodeBody(Buffer.from(bytes), 0, bytes.byteLength, anything)
        if (!body.ok) expect(body.error).toBeInstanceOf(ClusterError)
      }),
      { numRuns: 2_000 },
    ))

  it('refuses a message that was cut off or has bytes after its end', () =>
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, place) => {
        const bytes = Buffer.from(packr.pack(value))
        expect(isPlain(bytes, 0, bytes.byteLength, 64)).toBe(true)
        expect(isPlain(bytes, 0, place % bytes.byteLength, 64)).toBe(false)
        expect(isPlain(Buffer.concat([bytes, bytes]), 0, 2 * bytes.byteLength, 64)).toBe(false)
      }),
      { numRuns: 500 },
    ))

  it.each([
    ['a date', new Date(0)],
    ['undefined', undefined],
    ['undefined inside', { a: undefined }],
    ['a set', new Set([1])],
    ['a regular expression', /a/],
    ['a map with numbers as keys', new Map([[1, 2]])],
  ])('refuses %s: only plain data', (_, value) => {
    const bytes = Buffer.from(new Packr({ useRecords: false, moreTypes: true, mapsAsObjects: false }).pack(value))
    expect(decodeBody(bytes, 0, bytes.byteLength, anything)).toMatchObject({ ok: false, error: { code: 'malformed' } })
  })

  it('takes nesting up to its bound, and refuses deeper nesting without running out of stack', () => {
    const nested = (depth: number): Buffer => Buffer.concat([Buffer.alloc(depth, 0x91), Buffer.of(0xc0)])
    const verdict = (depth: number): boolean => decodeBody(nested(depth), 0, depth + 1, anything).ok
    expect(verdict(limits.messageDepthMax)).toBe(true)
    expect(verdict(limits.messageDepthMax + 1)).toBe(false)
    expect(verdict(limits.messageBytesMax - 1)).toBe(false)
  })

  it('refuses counts that the bytes cannot hold', () =>
    expect(isPlain(Buffer.from('ddffffffff', 'hex'), 0, 5, 16) || isPlain(Buffer.from('dfffffffff00', 'hex'), 0, 6, 16)).toBe(false))

  it('carries an error as its code and sentence, cut to their bound, and nothing else', () => {
    const error = new ClusterError('overloaded', { message: 'x'.repeat(5_000), context: { secret: 1 } })
    const record = encodeErrorReply(1, error)
    const body = decodeFailure(record, headroom.reply, record.byteLength)
    expect(body).toMatchObject({ ok: true, value: { code: 'overloaded', message: 'x'.repeat(limits.errorMessageCharsMax) } })
    expect(record.toString('latin1')).not.toContain('secret')
  })
})

describe('the records of a frame', () => {
  const visitor: RecordVisitor = { onRequest: anything, onReply: anything, onErrorReply: anything, onNotice: anything, onChunk: anything }

  it('are visited or refused as malformed, whatever the bytes', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.boolean(), (bytes, likely) => {
        // Half of them with a plausible kind and length, so that more than the first check is reached.
        const frame = Buffer.from(likely ? [1 + ((bytes[0] ?? 0) % 5), 0, 0, 0, (bytes[1] ?? 0) % 12, ...bytes] : bytes)
        const visited = visitRecords(frame, visitor)
        if (!visited.ok) expect(visited.error.code).toBe('malformed')
      }),
      { numRuns: 2_000 },
    ))

  it('are bounded in number', () => {
    const chunk = Buffer.of(5, 0, 0, 0, 4, 0, 0, 0, 1)
    expect(visitRecords(Buffer.concat(Array(limits.recordsPerFrameMax).fill(chunk)), visitor).ok).toBe(true)
    expect(visitRecords(Buffer.concat(Array(limits.recordsPerFrameMax + 1).fill(chunk)), visitor).ok).toBe(false)
  })
})
