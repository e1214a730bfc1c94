import fc from 'fast-check'
import { expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { carriedHeadBytes, decodeCarriedHead, encodeCarriedHead } from '../../../src/wire/muster/carriedHead.js'

const heads = fc.record({ isException: fc.boolean(), bytes: fc.nat(limits.carriedExceptionBytesMax) })

it('the head of a carried answer is read as it was written', () =>
  fc.assert(
    fc.property(heads, (head) => {
      expect(decodeCarriedHead(encodeCarriedHead(head), limits.carriedBytesMax)).toEqual({ ok: true, value: head })
    }),
  ))

it('any bytes are read as a head within its bounds, or refused', () =>
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: carriedHeadBytes, maxLength: carriedHeadBytes }),
      fc.nat(limits.carriedBytesMax),
      (bytes, max) => {
        const head = decodeCarriedHead(Buffer.from(bytes), max)
        if (head.ok) expect(head.value.bytes).toBeLessThanOrEqual(head.value.isException ? limits.carriedExceptionBytesMax : max)
        else expect(['malformed', 'tooLarge']).toContain(head.error.code)
      },
    ),
  ))
