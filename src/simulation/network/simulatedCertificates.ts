/**
 * Certificates of the simulated world: PEM in form, with an authority, names and a key that are simply written in them. Any other
 * PEM text is a certificate of its own authority, without names, whatever its key.
 */
import { ClusterError } from '../../base/errors.js'

export interface SimulatedIdentity {
  readonly certificate: string
  readonly key: string
}

const pem = (kind: string, text: string): string => `-----BEGIN ${kind}-----\n${text}\n-----END ${kind}-----\n`

/** What an authority shows for itself: the text that those need who trust it. */
export const simulatedAuthority = (name: string): string => pem('CERTIFICATE', `simulated authority ${name}`)

export const simulatedIdentity = (authority: string, names: readonly string[]): SimulatedIdentity => {
  const key = names.join(' ')
  return {
    certificate: pem('CERTIFICATE', `simulated certificate ${JSON.stringify({ authority, names, key })}`),
    key: pem('PRIVATE KEY', `simulated key ${key}`),
  }
}

interface CertificateFacts {
  readonly authority: string
  readonly names: readonly string[]
  readonly key?: string
}

const certificatePattern = /simulated certificate (.+)/
const authorityPattern = /simulated authority (.+)/
const keyPattern = /simulated key (.+)/

const isFacts = (value: unknown): value is CertificateFacts => typeof value === 'object' && value !== null && 'authority' in value

export const certificateFacts = (certificate: string): CertificateFacts => {
  const facts: unknown = JSON.parse(certificatePattern.exec(certificate)?.[1] ?? 'null')
  return isFacts(facts) ? facts : { authority: certificate.trim(), names: [] }
}

export const isOfAuthority = (certificate: string, ca: string): boolean =>
  certificateFacts(certificate).authority === (authorityPattern.exec(ca)?.[1] ?? ca.trim())

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
