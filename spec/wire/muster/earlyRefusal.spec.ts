import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeEarlyRefusal, earlyRefusalBytes, encodeEarlyRefusal } from '../../../src/wire/muster/earlyRefusal.js'
import { decodePreamble, encodePreamble } from '../../../src/wire/muster/preamble.js'

const reasons = ['tlsRequired', 'missing', 'expired', 'early', 'untrusted'] as const

describe('an early refusal', () => {
  it('says its reason, and is a range of versions to nobody', () => {
    for (const reason of reasons) {
      const bytes = encodeEarlyRefusal(reason)
      expect(bytes.byteLength).toBe(earlyRefusalBytes)
      expect(decodeEarlyRefusal(bytes)).toBe(reason)
      expect(decodePreamble(bytes).ok).toBe(false)
    }
  })

  it('is read from nothing else', () =>
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(254), fc.nat(254), (noise, min, max) => {
        expect(decodeEarlyRefusal(noise)).toBeUndefined()
        expect(decodeEarlyRefusal(encodePreamble({ min, max }))).toBeUndefined()
      }),
    ))
})
