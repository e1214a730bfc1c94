import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { selfSignedCertificate } from '../../../src/platform/enrolment/selfSignedCertificate.js'

const nowMs = Date.UTC(2026, 0, 1)

describe('a certificate that the enrolment service makes itself', () => {
  it('is what the installation of Wazuh makes, and a TLS server can use it', async () => {
    const { certificate, key } = await selfSignedCertificate(nowMs)
    const read = new X509Certificate(certificate)
    expect(read.subject).toBe('C=US\nST=California\nCN=Wazuh')
    expect(read.issuer).toBe(read.subject)
    expect(read.ca).toBe(true)
    expect(read.verify(read.publicKey)).toBe(true)
    expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(read.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2_048)
    expect(Date.parse(read.validFrom)).toBe(nowMs)
    expect(Date.parse(read.validTo)).toBe(nowMs + 3_650 * 86_400_000)
    expect(read.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
    createSecureContext({ cert: certificate, key, ca: certificate })
  })
})
