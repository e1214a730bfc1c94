/** What is known of a certificate without its bytes, and what it is for. */

export interface CertificateFacts {
  /** The common name of its subject; empty when it has none. */
  readonly commonName: string
  /** DNS names and addresses that it is for, as its subjectAltName lists them. */
  readonly altNames: readonly string[]
  /** One line, `CN=admin,OU=Wazuh,…`, the last attribute first, as OpenSearch lists it. */
  readonly subject: string
  readonly issuer: string
  readonly isAuthority: boolean
  readonly startsMs: number
  readonly endsMs: number
  /** Hexadecimal. */
  readonly serial: string
  /** SHA-256, hexadecimal with colons. */
  readonly fingerprint: string
  /** `rsa2048`, `p256`, `ed25519` and the like. */
  readonly keyType: string
}

export type CertificateKind = 'ca' | 'admin' | 'node'

/** As OpenSearch lists it in `plugins.security.authcz.admin_dn`. */
export const adminSubject = 'CN=admin,OU=Wazuh,O=Wazuh,L=California,C=US'

export const certificateKind = ({ isAuthority, subject }: CertificateFacts): CertificateKind => {
  if (isAuthority) return 'ca'
  return subject === adminSubject ? 'admin' : 'node'
}

/** The names that it may act under, each once, its common name first. */
export const namesOf = ({ altNames, commonName }: CertificateFacts): readonly string[] => [
  ...new Set([...(commonName === '' ? [] : [commonName]), ...altNames]),
]
