/** Certificates out of PEM: what they say, by Node's own reader. */
import { type KeyObject, X509Certificate } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { CertificateFacts } from '../../domain/certificates/certificateFacts.js'
import { altNames } from '../net/certificateNames.js'

const blockPattern = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]*-----END CERTIFICATE-----/g

/** In their order: the first of a file is its own, the others are the chain above it. Fails with `configInvalid`, in a sentence about `place`. */
export const parsedCertificates = (pem: string, place: string): readonly X509Certificate[] => {
  const blocks = pem.match(blockPattern) ?? []
  if (blocks.length === 0) throw new ClusterError('configInvalid', { message: `${place} has no certificate (PEM)` })
  if (blocks.length > limits.certificatesPerFileMax)
    throw new ClusterError('configInvalid', { message: `${place} has more than ${limits.certificatesPerFileMax} certificates` })
  return blocks.map((block) => {
    try {
      return new X509Certificate(block)
    } catch (thrown) {
      throw new ClusterError('configInvalid', { message: `${place} has a certificate that cannot be read`, cause: thrown })
    }
  })
}

/** What the certificates of a PEM file say, in their order. Fails with `configInvalid`. */
export const readCertificates = (pem: string, place: string): readonly CertificateFacts[] =>
  parsedCertificates(pem, place).map(certificateFacts)

export const certificateFacts = (certificate: X509Certificate): CertificateFacts => {
  const { ca, fingerprint256, issuer, publicKey, serialNumber, subject, subjectAltName, validFrom, validTo } = certificate
  return {
    commonName: commonNameOf(certificate),
    altNames: altNames(subjectAltName ?? '').slice(0, limits.certificateNamesMax),
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    isAuthority: ca,
    startsMs: Date.parse(validFrom),
    endsMs: Date.parse(validTo),
    serial: serialNumber.toLowerCase(),
    fingerprint: fingerprint256,
    keyType: keyTypeOf(publicKey),
  }
}

/** Without the escapes that its line in `subject` has. Whatever the types say, a subject may be empty, and a name that occurs twice is a list. */
const commonNameOf = (certificate: X509Certificate): string => {
  const commonNames: readonly unknown[] = [certificate.toLegacyObject().subject?.CN].flat()
  const last = commonNames.at(-1)
  return typeof last === 'string' ? last : ''
}

const curveNames: Readonly<Record<string, string>> = { prime256v1: 'p256', secp384r1: 'p384', secp521r1: 'p521' }

/** As the options of the programs name them. */
export const keyTypeOf = ({ asymmetricKeyDetails: details, asymmetricKeyType }: KeyObject): string => {
  const type: string = asymmetricKeyType ?? 'unknown'
  if (type === 'ec') return curveNames[details?.namedCurve ?? ''] ?? details?.namedCurve ?? type
  return details?.modulusLength === undefined ? type : `${type}${details.modulusLength}`
}

/** Node writes a line for each attribute; RFC 2253 has the last one first. */
const oneLine = (name: string | undefined): string => (name ?? '').split('\n').reverse().join(',')
