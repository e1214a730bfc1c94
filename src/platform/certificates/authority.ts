/** The authority that signs: made, or read and judged. Each reason why it cannot sign is a sentence of its own. */
import type { KeyObject, X509Certificate } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import { authorityProfile, type CertificateForm, intermediateSubject, rootSubject } from '../../domain/certificates/certificateProfile.js'
import type { KeyKind } from '../../domain/certificates/keyKinds.js'
import { certificateLibrary, issueCertificate } from './issueCertificate.js'
import { isEncryptedKey, makePrivateKey, parsedKey } from './privateKeys.js'
import { certificateFacts, parsedCertificates } from './readCertificates.js'

export interface Authority {
  readonly certificate: X509Certificate
  readonly key: KeyObject
  /** What goes into a file beneath each certificate that it signs: itself and those above it, but for the root. */
  readonly chain: readonly X509Certificate[]
}

export interface AuthorityFiles {
  readonly certificatePath: string
  readonly certificate: string
  readonly keyPath: string
  readonly key: string
}

const invalid = (message: string): ClusterError => new ClusterError('configInvalid', { message })

const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10)

/** `passphrase` is asked only for a key that is encrypted. Fails with `configInvalid`. */
export const readAuthority = async (
  { certificate: pem, certificatePath, key: keyText, keyPath }: AuthorityFiles,
  nowMs: number,
  passphrase: () => Promise<string>,
): Promise<Authority> => {
  const certificates = parsedCertificates(pem, certificatePath)
  const key = parsedKey(keyText, keyPath, isEncryptedKey(keyText) ? await passphrase() : undefined)
  // While a CA is replaced by another one, the file has both.
  const certificate = certificates.find((one) => one.checkPrivateKey(key))
  if (!certificate) throw invalid(`The key ${keyPath} does not belong to the CA certificate ${certificatePath}`)
  const { endsMs, isAuthority, startsMs } = certificateFacts(certificate)
  if (!isAuthority || !(await mayCertify(certificate)))
    throw invalid(`${certificatePath} is not the certificate of a CA: it may not sign others`)
  if (endsMs <= nowMs) throw invalid(`The CA certificate ${certificatePath} expired on ${day(endsMs)}`)
  if (startsMs > nowMs) throw invalid(`The CA certificate ${certificatePath} is not valid before ${day(startsMs)}`)
  return { certificate, key, chain: certificates.filter((one) => !isSelfIssued(one)) }
}

export const isSelfIssued = (certificate: X509Certificate): boolean => certificate.checkIssued(certificate)

const mayCertify = async (certificate: X509Certificate): Promise<boolean> => {
  const library = await certificateLibrary()
  const usages = new library.X509Certificate(certificate.raw).getExtension(library.KeyUsagesExtension)?.usages
  return usages === undefined || (usages & library.KeyUsageFlags.keyCertSign) !== 0
}

/** How many authorities may stand below this one. */
const authoritiesBelow = async (certificate: X509Certificate): Promise<number> => {
  const library = await certificateLibrary()
  return (
    new library.X509Certificate(certificate.raw).getExtension(library.BasicConstraintsExtension)?.pathLength ?? Number.POSITIVE_INFINITY
  )
}

export interface NewAuthority {
  readonly form: CertificateForm
  readonly keyKind: KeyKind
  readonly nowMs: number
  readonly endsMs: number
}

/** `authorities`: how many may stand below it. */
export const makeRoot = async ({ endsMs, form, keyKind, nowMs }: NewAuthority, authorities: number): Promise<Authority> => {
  const profile = authorityProfile(form, authorities)
  const key = await makePrivateKey(keyKind)
  const startsMs = nowMs - profile.backdatedMs
  const certificate = await issueCertificate({
    ...{ profile, publicKey: key, subject: rootSubject, issuer: undefined, issuerKey: key },
    ...{ startsMs, endsMs },
  })
  return { certificate, key, chain: [] }
}

/** Fails with `configInvalid` when the root may have no authority below it. */
export const makeIntermediate = async (root: Authority, { endsMs, form, keyKind, nowMs }: NewAuthority): Promise<Authority> => {
  if ((await authoritiesBelow(root.certificate)) < 1) throw invalid('The root CA may have no CA below it (its path length is 0)')
  const profile = authorityProfile(form, 0)
  const key = await makePrivateKey(keyKind)
  const { endsMs: rootEndsMs } = certificateFacts(root.certificate)
  const certificate = await issueCertificate({
    ...{ profile, publicKey: key, subject: intermediateSubject, issuer: root.certificate, issuerKey: root.key },
    ...{ startsMs: nowMs - profile.backdatedMs, endsMs: Math.min(endsMs, rootEndsMs) },
  })
  return { certificate, key, chain: [certificate, ...root.chain] }
}
