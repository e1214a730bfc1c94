/** A request comes from a node that nobody knows yet: whatever its bytes, it is taken or refused in a sentence. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError } from '../../../src/base/errors.js'
import { type CertificateRequest, makeRequest, readRequest } from '../../../src/platform/certificates/certificateRequest.js'
import { makePrivateKey, publicKeyDer } from '../../../src/platform/certificates/privateKeys.js'

const pemOf = (der: Uint8Array): string =>
  `-----BEGIN CERTIFICATE REQUEST-----\n${Buffer.from(der).toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`

const plain = ({ publicKey, ...rest }: CertificateRequest) => ({ ...rest, publicKey: publicKeyDer(publicKey).toString('hex') })

describe('a request for a certificate', () => {
  it.each(['p256', 'ed25519', 'rsa3072'] as const)('by a key of %s is read as it was made', async (kind) => {
    const key = await makePrivateKey(kind)
    const addresses = [
      { type: 'ip', value: '10.0.0.1' },
      { type: 'ip', value: 'fd00::1' },
      { type: 'dns', value: 'w1.example.com' },
    ] as const
    const { ignored, name, publicKey, ...rest } = await readRequest(await makeRequest(key, 'w1', addresses), 'w1.csr')
    expect({ name, ignored, addresses: rest.addresses }).toEqual({ name: 'w1', ignored: [], addresses })
    expect(publicKeyDer(publicKey).equals(publicKeyDer(key))).toBe(true)
  })

  it('of any bytes is refused in a sentence, or says what its key signed', async () => {
    const pem = await makeRequest(await makePrivateKey('p256'), 'w1', [{ type: 'ip', value: '10.0.0.1' }])
    const whole = plain(await readRequest(pem, 'x.csr'))
    const der = Buffer.from(pem.replace(/-----.*?-----/g, ''), 'base64')
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.record({ at: fc.nat(der.length - 1), bit: fc.nat(7) }).map(({ at, bit }) => {
            const changed = Buffer.from(der)
            changed.writeUInt8(changed.readUInt8(at) ^ (1 << bit), at)
            return changed
          }),
          fc.nat(der.length - 1).map((length) => der.subarray(0, length)),
          fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
        ),
        async (bytes) => {
          const read: unknown = await readRequest(pemOf(bytes), 'x.csr').then(plain, (thrown: unknown) => thrown)
          if (read instanceof ClusterError) expect(read).toMatchObject({ code: 'configInvalid', message: expect.stringContaining('x.csr') })
          // The same can be written in two ways: what is not signed, such as a tag, may differ.
          else expect(read).toEqual(whole)
        },
      ),
      { numRuns: 400 },
    )
  })
})
