/** Makes certificates out of profiles. The library that writes them is loaded only when one is made. */
import { type KeyObject, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import type { Extension, X509Certificate as LibraryCertificate, Name } from '@peculiar/x509'
import { ClusterError } from '../../base/errors.js'
import { invariant } from '../../base/invariant.js'
import type { CertificateProfile, KeyUsage, SubjectAttribute } from '../../domain/certificates/certificateProfile.js'
import { publicKeyDer, signingAlgorithm, signingKey } from './privateKeys.js'
import { asVersion1 } from './version1.js'

export interface CertificateOrder {
  readonly profile: CertificateProfile
  readonly publicKey: KeyObject
  /** Or a certificate that it is to replace: its subject and what it is for are taken from there. */
  readonly subject: readonly SubjectAttribute[] | X509Certificate
  /** The certificate of the authority that signs; undefined for one that signs itself. */
  readonly issuer: X509Certificate | undefined
  readonly issuerKey: KeyObject
  readonly startsMs: number
  readonly endsMs: number
}

const attributeTypes: Readonly<Record<SubjectAttribute[0], string>> = {
  C: '2.5.4.6',
  ST: '2.5.4.8',
  L: '2.5.4.7',
  O: '2.5.4.10',
  OU: '2.5.4.11',
  CN: '2.5.4.3',
}
const altNamesType = '2.5.29.17'
const serialBytes = 16

/** Random, positive, and of the same length each time. */
export const serialNumber = (): string => {
  const bytes = randomBytes(serialBytes)
  bytes.writeUInt8((bytes.readUInt8(0) & 0x3f) | 0x40, 0)
  return bytes.toString('hex')
}

/** DER has whole seconds. */
const wholeSeconds = (ms: number): Date => new Date(Math.floor(ms / 1_000) * 1_000)

export type CertificateLibrary = typeof import('@peculiar/x509')

export const certificateLibrary = async (): Promise<CertificateLibrary> => {
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

export const issueCertificate = async (order: CertificateOrder): Promise<X509Certificate> => {
  const library = await certificateLibrary()
  const { endsMs, issuer, issuerKey, profile, publicKey, startsMs } = order
  const parent = issuer && new library.X509Certificate(issuer.raw)
  const subject = subjectOf(library, order)
  const made = await library.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject,
      issuer: parent?.subjectName ?? subject,
      notBefore: wholeSeconds(startsMs),
      notAfter: wholeSeconds(endsMs),
      publicKey: publicKeyDer(publicKey),
      signingKey: await signingKey(issuerKey),
      signingAlgorithm: { ...signingAlgorithm(issuerKey) },
      extensions: await extensionsOf(library, order, parent),
    },
    webcrypto,
  )
  const der = Buffer.from(made.rawData)
  const issued = new X509Certificate(profile.version === 1 ? asVersion1(der, issuerKey) : der)
  // What is written is read again by another implementation before anybody relies on it.
  const by = issuer ?? issued
  if (!issued.checkIssued(by) || !issued.verify(by.publicKey))
    throw new ClusterError('configInvalid', { message: 'The certificate of the CA cannot issue others: what it signs does not verify' })
  return issued
}

const subjectOf = (library: CertificateLibrary, { subject }: CertificateOrder): Name => {
  if (subject instanceof X509Certificate) return new library.X509Certificate(subject.raw).subjectName
  // As OpenSSL writes them: a country is always printable text.
  return new library.Name(
    subject.map(([type, value]) => ({ [attributeTypes[type]]: [type === 'C' ? { printableString: value } : { utf8String: value }] })),
  )
}

const extensionsOf = async (
  library: CertificateLibrary,
  { profile, publicKey, subject }: CertificateOrder,
  parent: LibraryCertificate | undefined,
): Promise<Extension[]> => {
  if (profile.version === 1) return []
  const { basicConstraints, extendedKeyUsage, keyUsage } = profile
  const own = await library.SubjectKeyIdentifierExtension.create(publicKeyDer(publicKey), false, webcrypto)
  const altNames = altNamesOf(library, profile, subject)
  return [
    own,
    await authorityKeyOf(library, parent, own.keyId),
    ...(basicConstraints
      ? [new library.BasicConstraintsExtension(basicConstraints.isAuthority, basicConstraints.pathLength, basicConstraints.isCritical)]
      : []),
    ...(keyUsage ? [new library.KeyUsagesExtension(flagsOf(library, keyUsage.usages), keyUsage.isCritical)] : []),
    ...(extendedKeyUsage ? [new library.ExtendedKeyUsageExtension(extendedKeyUsage.map((usage) => library.ExtendedKeyUsage[usage]))] : []),
    ...(altNames ? [altNames] : []),
  ]
}

/** As the authority's own certificate has it, however that was computed. */
const authorityKeyOf = async (library: CertificateLibrary, parent: LibraryCertificate | undefined, own: string): Promise<Extension> => {
  if (!parent) return new library.AuthorityKeyIdentifierExtension(own)
  const keyId = parent.getExtension(library.SubjectKeyIdentifierExtension)?.keyId
  return keyId === undefined
    ? library.AuthorityKeyIdentifierExtension.create(parent.publicKey, false, webcrypto)
    : new library.AuthorityKeyIdentifierExtension(keyId)
}

const altNamesOf = (
  library: CertificateLibrary,
  { altNames }: CertificateProfile,
  subject: CertificateOrder['subject'],
): Extension | undefined => {
  if (subject instanceof X509Certificate) return new library.X509Certificate(subject.raw).getExtension<Extension>(altNamesType) ?? undefined
  return altNames.length === 0
    ? undefined
    : new library.SubjectAlternativeNameExtension(altNames.map(({ type, value }) => ({ type, value })))
}

const flagsOf = ({ KeyUsageFlags }: CertificateLibrary, usages: readonly KeyUsage[]): number =>
  usages.reduce((flags, usage) => flags | KeyUsageFlags[usage], 0)

/** PEM, with what stands above it in the chain. */
export const certificatePem = (...certificates: readonly X509Certificate[]): string => {
  invariant(certificates.length > 0, 'a file of certificates has one')
  return certificates.map((certificate) => certificate.toString()).join('')
}
