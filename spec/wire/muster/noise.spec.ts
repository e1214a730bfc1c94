/** The handshake against the published vectors, and against peers that have other keys or tamper. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Cipher } from '../../../src/wire/muster/cipherState.js'
import { pskOf } from '../../../src/wire/muster/clusterKey.js'
import { acceptHandshake, type HandshakeSecrets, initiateHandshake, type TransportKeys } from '../../../src/wire/muster/noise.js'

interface Vector {
  readonly init_prologue: string
  readonly init_psks: readonly [string]
  readonly init_ephemeral: string
  readonly resp_ephemeral: string
  readonly handshake_hash: string
  readonly messages: readonly { readonly payload: string; readonly ciphertext: string }[]
}

const file = new URL('./vectors/noise-nnpsk0-aesgcm-sha256.json', import.meta.url)
const vectors = (JSON.parse(readFileSync(file, 'utf8')) as { readonly vectors: readonly Vector[] }).vectors
const bytes = (hex: string | undefined): Buffer => Buffer.from(hex ?? '', 'hex')
const none = new Uint8Array(0)

const secret = fc.uint8Array({ minLength: 32, maxLength: 32 })

const handshake = (
  initiator: HandshakeSecrets,
  responder: HandshakeSecrets,
): { readonly ours: TransportKeys; readonly theirs: TransportKeys } | undefined => {
  const opened = initiateHandshake(initiator, none)
  const accepted = acceptHandshake(responder, opened.message)
  if (!accepted.ok) return undefined
  const answer = accepted.value.answer(none)
  if (!answer.ok) return undefined
  const finished = opened.finish(answer.value.message)
  return finished.ok ? { ours: finished.value, theirs: answer.value } : undefined
}

const sealed = (cipher: Cipher, payload: Uint8Array): Buffer => {
  const { parts, tag } = cipher.seal(none, [payload])
  return Buffer.concat([...parts, tag])
}

describe('the handshake', () => {
  it.each(vectors.map((vector, at) => [at, vector] as const))('gives exactly what published vector %i says', (_, vector) => {
    const common = { psk: bytes(vector.init_psks[0]), prologue: bytes(vector.init_prologue) }
    const [first, second, ...transported] = vector.messages
    const opened = initiateHandshake({ ...common, ephemeral: bytes(vector.init_ephemeral) }, bytes(first?.payload))
    expect(Buffer.from(opened.message).toString('hex')).toBe(first?.ciphertext)
    const accepted = acceptHandshake({ ...common, ephemeral: bytes(vector.resp_ephemeral) }, opened.message)
    if (!accepted.ok) throw accepted.error
    expect(Buffer.from(accepted.value.payload).toString('hex')).toBe(first?.payload)
    const answer = accepted.value.answer(bytes(second?.payload))
    if (!answer.ok) throw answer.error
    expect(Buffer.from(answer.value.message).toString('hex')).toBe(second?.ciphertext)
    const finished = opened.finish(answer.value.message)
    if (!finished.ok) throw finished.error
    for (const [at, message] of transported.entries()) {
      const [from, to] =
        at % 2 === 0
          ? [finished.value.initiatorToResponder, answer.value.initiatorToResponder]
          : [answer.value.responderToInitiator, finished.value.responderToInitiator]
      expect(sealed(from, bytes(message.payload)).toString('hex')).toBe(message.ciphertext)
      expect(to.open(none, bytes(message.ciphertext))).toMatchObject({ ok: true, value: bytes(message.payload) })
    }
  })

  it('has vectors to check against', () => expect(vectors.length).toBeGreaterThan(0))

  it('gives both sides the same keys exactly when secret and prologue are the same', () =>
    fc.assert(
      fc.property(
        secret,
        secret,
        secret,
        fc.uint8Array(),
        fc.uint8Array(),
        fc.boolean(),
        fc.boolean(),
        (psk, ephemeral, other, prologue, otherPrologue, samePsk, sameText) => {
          const initiator = { psk, prologue, ephemeral }
          const responder = { psk: samePsk ? psk : other, prologue: sameText ? prologue : otherPrologue, ephemeral: other }
          const agreed = handshake(initiator, responder)
          const same = Buffer.compare(psk, responder.psk) === 0 && Buffer.compare(prologue, responder.prologue) === 0
          expect(agreed !== undefined).toBe(same)
        },
      ),
      { numRuns: 60 },
    ))

  it('refuses either message with any bit flipped, or cut, as not authentic', () =>
    fc.assert(
      fc.property(secret, secret, secret, fc.nat(), fc.boolean(), fc.boolean(), (psk, one, two, place, isFirst, cut) => {
        const prologue = none
        const spoil = (message: Uint8Array): Uint8Array => {
          const spoilt = Buffer.from(message)
          const bit = place % (8 * spoilt.byteLength)
          // The top bit of a public key's last byte means nothing to X25519, but it is hashed.
          spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7))
          return cut ? message.subarray(0, place % message.byteLength) : spoilt
        }
        const opened = initiateHandshake({ psk, prologue, ephemeral: one }, none)
        const accepted = acceptHandshake({ psk, prologue, ephemeral: two }, isFirst ? spoil(opened.message) : opened.message)
        expect(accepted.ok).toBe(!isFirst)
        if (!accepted.ok) {
          expect(accepted.error.code).toBe('notAuthentic')
          return
        }
        const answer = accepted.value.answer(none)
        if (!answer.ok) throw answer.error
        expect(opened.finish(spoil(answer.value.message))).toMatchObject({ ok: false, error: { code: 'notAuthentic' } })
      }),
      { numRuns: 60 },
    ))

  it('refuses a public key without a shared secret', () => {
    const psk = pskOf('key')
    const zeroPoint = Buffer.alloc(48)
    expect(acceptHandshake({ psk, prologue: none, ephemeral: Buffer.alloc(32, 7) }, zeroPoint)).toMatchObject({ ok: false })
    const opened = initiateHandshake({ psk, prologue: none, ephemeral: Buffer.alloc(32, 7) }, none)
    expect(opened.finish(zeroPoint)).toMatchObject({ ok: false, error: { code: 'notAuthentic' } })
  })
})

describe('the pre-shared key', () => {
  it('has 32 bytes whatever the configured text, and differs when the text does', () =>
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (one, other) => {
        expect(pskOf(one)).toHaveLength(32)
        expect(Buffer.compare(pskOf(one), pskOf(other)) === 0).toBe(Buffer.from(one).equals(Buffer.from(other)))
      }),
      { numRuns: 50 },
    ))
})
