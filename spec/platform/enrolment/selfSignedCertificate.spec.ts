import { createPrivateKey, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type SecureVersion } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { authOptions } from '../../../src/config/agentServiceOptions.js'
import type { KeyKind } from '../../../src/domain/certificates/keyKinds.js'
import { selfSignedCertificate } from '../../../src/platform/enrolment/selfSignedCertificate.js'
import { contextOptions } from '../../../src/platform/net/tlsContext.js'

const nowMs = Date.UTC(2026, 0, 1)
/** Wazuh's, of agents and of managers. */
const wazuhCiphers = authOptions.ciphers.fallback

/** The cipher and the version that an agent and the service agree on. */
const agreed = async (kind: KeyKind, serverCiphers: string, maxVersion: SecureVersion) => {
  const { certificate, key } = await selfSignedCertificate(Date.now(), kind)
  const server = createServer(contextOptions({ certificate, key, ciphers: serverCiphers }), (socket) => socket.end())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ciphers: wazuhCiphers, maxVersion, minVersion: 'TLSv1.2' })
  await once(socket, 'secureConnect')
  const { name } = socket.getCipher()
  const version = socket.getProtocol()
  socket.destroy()
  server.close()
  return { name, version }
}

describe('a certificate that the enrolment service makes itself', () => {
  it.each(['p256', 'rsa2048'] as const)('is what the installation of Wazuh makes, by a key of %s', async (kind) => {
    const { certificate, key } = await selfSignedCertificate(nowMs, kind)
    const read = new X509Certificate(certificate)
    expect(read.subject).toBe('C=US\nST=California\nCN=Wazuh')
    expect(read.issuer).toBe(read.subject)
    expect(read.ca).toBe(true)
    expect(read.verify(read.publicKey)).toBe(true)
    expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(read.publicKey.asymmetricKeyDetails).toMatchObject(kind === 'p256' ? { namedCurve: 'prime256v1' } : { modulusLength: 2_048 })
    expect(Date.parse(read.validFrom)).toBe(nowMs)
    expect(Date.parse(read.validTo)).toBe(nowMs + 3_650 * 86_400_000)
    expect(read.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
  })

  it('serves agents with the ciphers of Wazuh over TLS 1.2 and 1.3, one of RSA with those for RSA', async () => {
    expect(await agreed('p256', wazuhCiphers, 'TLSv1.2')).toMatchObject({
      name: expect.stringContaining('ECDHE-ECDSA-'),
      version: 'TLSv1.2',
    })
    expect(await agreed('p256', wazuhCiphers, 'TLSv1.3')).toMatchObject({ version: 'TLSv1.3' })
    expect(await agreed('rsa2048', 'ECDHE-RSA-AES256-GCM-SHA384', 'TLSv1.2')).toMatchObject({ version: 'TLSv1.2' })
  })
})
