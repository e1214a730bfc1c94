/**
 * Certificates of the simulated world: PEM in form, with an authority, names and a key that are simply written in them. Any other
 * PEM text is a certificate of its own authority, without names, whatever its key.
 */
import { createHash } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import type { ShownCertificate } from '../../domain/cluster/nodeCertificate.js'

export interface SimulatedIdentity {
  readonly certificate: string
  readonly key: string
}

const pem = (kind: string, text: string): string => `-----BEGIN ${kind}-----\n${text}\n-----END ${kind}-----\n`

/** What an authority shows for itself: the text that those need who trust it. */
export const simulatedAuthority = (name: string): string => pem('CERTIFICATE', `simulated authority ${name}`)

export interface Validity {
  readonly startsMs: number
  readonly endsMs: number
}

/** All of the time that a `Date` can say. */
const forEver: Validity = { startsMs: -8.64e15, endsMs: 8.64e15 }

export const simulatedIdentity = (authority: string, names: readonly string[], validity = forEver): SimulatedIdentity => {
  const key = names.join(' ')
  return {
    certificate: pem('CERTIFICATE', `simulated certificate ${JSON.stringify({ authority, names, key, ...validity })}`),
    key: pem('PRIVATE KEY', `simulated key ${key}`),
  }
}

interface CertificateFacts {
  readonly authority: string
  readonly names: readonly string[]
  readonly key?: string
  readonly startsMs?: number
  readonly endsMs?: number
}

const certificatePattern = /simulated certificate (.+)/
const authorityPattern = /simulated authority (.+)/g
const keyPattern = /simulated key (.+)/

const isFacts = (value: unknown): value is CertificateFacts => typeof value === 'object' && value !== null && 'authority' in value

export const certificateFacts = (certificate: string): CertificateFacts => {
  const facts: unknown = JSON.parse(certificatePattern.exec(certificate)?.[1] ?? 'null')
  return isFacts(facts) ? facts : { authority: certificate.trim(), names: [] }
}

/** Names of the authorities in a text that holds one or more of them. */
export const authorityNames = (ca: string): readonly string[] => {
  const names = [...ca.matchAll(authorityPattern)].map(([, name = '']) => name)
  return names.length > 0 ? names : [ca.trim()]
}

export const isOfAuthority = (certificate: string, ca: string): boolean =>
  authorityNames(ca).includes(certificateFacts(certificate).authority)

/** As a node shows it: its first name is the common name, the others are DNS names. */
export const shownBySimulated = (certificate: string): ShownCertificate => {
  const { endsMs = forEver.endsMs, names, startsMs = forEver.startsMs } = certificateFacts(certificate)
  const fingerprint = createHash('sha256').update(certificate).digest('hex')
  return { commonNames: names.slice(0, 1), dnsNames: names.slice(1), startsMs, endsMs, fingerprint }
}

const ciphersPattern = /ALL|DEFAULT|HIGH|MEDIUM|AES|CHACHA|ECDHE|TLS_/

/** Fails with `configInvalid` as real TLS does for what cannot be used. */
export const checkTlsTexts = (texts: {
  readonly certificate?: string | undefined
  readonly key?: string | undefined
  readonly ca?: string | undefined
  readonly ciphers?: string | undefined
}): void => {
  const { certificate, key, ca, ciphers } = texts
  const simulatedKey = keyPattern.exec(key ?? '')?.[1]
  const itsKey = certificate === undefined ? undefined : certificateFacts(certificate).key
  const wrong =
    (certificate !== undefined && !certificate.includes('BEGIN CERTIFICATE') && 'certificate') ||
    (key !== undefined && !key.includes('PRIVATE KEY') && 'key') ||
    (simulatedKey !== undefined && itsKey !== undefined && simulatedKey !== itsKey && 'certificate and the key together') ||
    (ca !== undefined && !ca.includes('BEGIN CERTIFICATE') && "authority's certificate") ||
    (ciphers !== undefined && !ciphersPattern.test(ciphers) && 'list of ciphers')
  if (wrong) throw new ClusterError('configInvalid', { message: `The ${wrong} cannot be used for TLS: it is not valid` })
}
