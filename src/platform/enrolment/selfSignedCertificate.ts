/**
 * A certificate for an enrolment service that was given none, as the installation of Wazuh makes it but for the kind of its key: agents
 * that are not set up to check it take any.
 */
import { authorityProfile, type SubjectAttribute } from '../../domain/certificates/certificateProfile.js'
import { dayMs } from '../../domain/certificates/expiry.js'
import type { KeyKind } from '../../domain/certificates/keyKinds.js'
import { certificatePem, issueCertificate } from '../certificates/issueCertificate.js'
import { keyPem, makePrivateKey } from '../certificates/privateKeys.js'

/** PEM. */
export interface CertificateWithKey {
  readonly certificate: string
  readonly key: string
}

const subject: readonly SubjectAttribute[] = [
  ['C', 'US'],
  ['ST', 'California'],
  ['CN', 'Wazuh'],
]
const lifeDays = 3_650

export const selfSignedCertificate = async (nowMs: number, kind: KeyKind): Promise<CertificateWithKey> => {
  const key = await makePrivateKey(kind)
  const certificate = await issueCertificate({
    profile: authorityProfile('compatible', 0),
    publicKey: key,
    subject,
    issuer: undefined,
    issuerKey: key,
    startsMs: nowMs,
    endsMs: nowMs + lifeDays * dayMs,
  })
  return { certificate: certificatePem(certificate), key: keyPem(key) }
}
