/** A cipher that is kept says what one made for each message says, after any messages, and shows its key to nobody. */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AgentCipher, cipherKey, paddingBytes } from '../../../src/wire/agents/agentCipher.js'

const entry = { id: 7, name: 'agent7', key: '22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff22ff' }
const key = cipherKey(entry).slice(0, 32)
const iv = 'FEDCBA0987654321'

const plainly = {
  encrypt: (plain: Uint8Array): Buffer => {
    const cipher = createCipheriv('aes-256-cbc', key, iv)
    return Buffer.concat([cipher.update(plain), cipher.final()])
  },
  decrypt: (sealed: Uint8Array): Buffer | undefined => {
    const decipher = createDecipheriv('aes-256-cbc', key, iv)
    try {
      const plain = Buffer.concat([decipher.update(sealed), decipher.final()])
      return sealed.byteLength === 0 ? undefined : plain
    } catch {
      return undefined
    }
  },
}

const withRoom = (kind: 'aes' | 'blowfish', plain: Uint8Array): Buffer =>
  Buffer.concat([plain, Buffer.alloc(paddingBytes(kind, plain.byteLength))])

const plains = fc.integer({ min: 1, max: 40 }).chain((blocks) => fc.uint8Array({ minLength: 8 * blocks, maxLength: 8 * blocks }))
const steps = fc.array(
  fc.oneof(
    fc.record({ does: fc.constant('decrypt' as const), bytes: plains.map(plainly.encrypt) }),
    // Wrong paddings, wrong lengths, nothing at all.
    fc.record({ does: fc.constant('decrypt' as const), bytes: fc.uint8Array({ maxLength: 64 }) }),
    fc.record({ does: fc.constant('decrypt' as const), bytes: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
    fc.record({ does: fc.constant('encrypt' as const), bytes: plains }),
  ),
  { minLength: 1, maxLength: 20 },
)

const textOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex')

describe('the ciphers of an agent', () => {
  it('do AES as one made for each message does it, in any sequence, failures among them', () =>
    fc.assert(
      fc.property(steps, (sequence) => {
        const cipher = new AgentCipher(entry)
        for (const { bytes, does } of sequence)
          if (does === 'encrypt')
            expect(textOf(cipher.encrypt('aes', withRoom('aes', bytes), bytes.byteLength))).toBe(textOf(plainly.encrypt(bytes)))
          else expect(textOf(cipher.decrypt('aes', bytes))).toBe(textOf(plainly.decrypt(bytes)))
      }),
      { numRuns: 300 },
    ))

  it('give back what they encrypted, whole blocks of any bytes, both of them', () =>
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('aes' as const, 'blowfish' as const), plains), { maxLength: 6 }), (messages) => {
        const sender = new AgentCipher(entry)
        const receiver = new AgentCipher(entry)
        for (const [kind, plain] of messages) {
          const sealed = sender.encrypt(kind, withRoom(kind, plain), plain.byteLength)
          expect(textOf(receiver.decrypt(kind, sealed))).toBe(textOf(plain))
        }
      }),
    ))

  it('keep plaintexts of Blowfish that end like a padding', () => {
    const cipher = new AgentCipher(entry)
    for (let last = 0; last <= 16; last++) {
      const plain = Buffer.alloc(16, 0x80).fill(last & 1 ? 0 : last, last)
      expect(textOf(cipher.decrypt('blowfish', cipher.encrypt('blowfish', Buffer.from(plain), 16)))).toBe(textOf(plain))
    }
  })

  it('leave the bytes alone that they decrypt', () => {
    const cipher = new AgentCipher(entry)
    for (const kind of ['aes', 'blowfish'] as const) {
      const sealed = cipher.encrypt(kind, withRoom(kind, Buffer.alloc(32, 5)), 32)
      const before = textOf(sealed)
      cipher.decrypt(kind, sealed)
      expect(textOf(sealed)).toBe(before)
    }
  })

  it('show no key when they are printed', () => {
    const cipher = new AgentCipher(entry)
    cipher.decrypt('aes', Buffer.alloc(16))
    cipher.decrypt('blowfish', Buffer.alloc(16))
    const shown = inspect(cipher, { depth: 9, showHidden: true }) + JSON.stringify(cipher)
    expect(shown).not.toContain(key)
    expect(shown).not.toContain(entry.key)
  })
})
