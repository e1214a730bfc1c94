/**
 * A certificate for an enrolment service that was given none, as the installation of Wazuh makes it: agents that are not set up to check
 * it take any. The library that makes it is loaded only then.
 */
import { webcrypto } from 'node:crypto'
import { bufferOver } from '../../base/bytes.js'

/** PEM. */
export interface CertificateWithKey {
  readonly certificate: string
  readonly key: string
}

const subject = 'C=US, ST=California, CN=Wazuh'
const dayMs = 86_400_000
const lifeDays = 3_650
const serialBytes = 20

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: new Uint8Array([1, 0, 1]), modulusLength: 2_048 } as const

const pem = (label: string, bytes: ArrayBuffer): string => {
  const lines =
    bufferOver(new Uint8Array(bytes))
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}

/** Positive, and never of more than 20 bytes. */
const serialNumber = (): string => {
  const bytes = webcrypto.getRandomValues(new Uint8Array(serialBytes))
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bufferOver(bytes).toString('hex')
}

export const selfSignedCertificate = async (nowMs: number): Promise<CertificateWithKey> => {
  await import('reflect-metadata')
  const { AuthorityKeyIdentifierExtension, BasicConstraintsExtension, SubjectKeyIdentifierExtension, X509CertificateGenerator } =
    await import('@peculiar/x509')
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const made = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: subject,
      notBefore: new Date(nowMs),
      notAfter: new Date(nowMs + lifeDays * dayMs),
      keys,
      signingAlgorithm: algorithm,
      extensions: [
        await SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        await AuthorityKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
        new BasicConstraintsExtension(true, undefined, true),
      ],
    },
    webcrypto,
  )
  return {
    certificate: `${made.toString('pem')}\n`,
    key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)),
  }
}
