/** Whether a certificate that was shown lets its owner be the node that it says it is. Who vouches for the certificate is judged before. */

import { ok, type Result, refuse } from '../../base/errors.js'
import { escapeText } from '../../base/escapeText.js'
import { utcMinute } from '../../base/logText.js'

/** A certificate that a node showed, or has. */
export interface ShownCertificate {
  readonly commonNames: readonly string[]
  readonly dnsNames: readonly string[]
  /** Milliseconds since 1970, as all times here. */
  readonly startsMs: number
  readonly endsMs: number
  /** SHA-256 of the whole certificate, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string
}

/** Why no authority that is trusted vouches for a certificate now. */
export type CertificateProblem = 'missing' | 'expired' | 'early' | 'untrusted'

/**
 * Who may be a node, besides that its certificate has its name: names of nodes, and fingerprints of certificates. Undefined: anybody whose
 * certificate has the name.
 */
export type AllowedNodes = readonly string[] | undefined

/** Wazuh's tool puts the name of a node into the common name only. */
export const nodeNamesOf = ({ commonNames, dnsNames }: ShownCertificate): readonly string[] =>
  dnsNames.length > 0 ? dnsNames : commonNames

/** What it is called in sentences. */
export const certificateName = ({ commonNames: [common], dnsNames: [dns], fingerprint }: ShownCertificate): string =>
  escapeText((common ?? dns ?? fingerprint).slice(0, namesCharsShown))

const namesShown = 3
const namesCharsShown = 100

const namesText = (certificate: ShownCertificate): string => {
  const names = nodeNamesOf(certificate).filter((name) => name !== '')
  if (names.length === 0) return 'no name'
  const shown = names.slice(0, namesShown).map((name) => `'${escapeText(name.slice(0, namesCharsShown))}'`)
  return `${shown.join(', ')}${names.length > namesShown ? ' and others' : ''}`
}

const fingerprintPattern = /^(?:[0-9A-Fa-f]{64}|(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2})$/

/** The fingerprint that an operator wrote, as certificates have it here; undefined: it is not one. */
export const fingerprintOf = (written: string): string | undefined =>
  fingerprintPattern.test(written) ? written.replaceAll(':', '').toLowerCase() : undefined

/** Names are compared to the letter: to the registry, too, names that differ in case are two. */
export const isCertifiedAs = (certificate: ShownCertificate, node: string, allowed: AllowedNodes): Result<undefined> => {
  if (!nodeNamesOf(certificate).includes(node))
    return refuse('notCertified', { message: `The certificate is for ${namesText(certificate)}, not for a node named '${node}'` })
  const isListed = (entry: string): boolean => entry === node || fingerprintOf(entry) === certificate.fingerprint
  if (!allowed || allowed.some(isListed)) return ok(undefined)
  return refuse('notCertified', {
    message: `Neither the name '${node}' nor the fingerprint of its certificate (SHA-256 ${certificate.fingerprint}) is on the list of allowed nodes (tls.allow in etc/cluster.json of the node that refuses it)`,
  })
}

/** What is wrong with a certificate, as the rest of a sentence about it. */
export const problemText = (problem: CertificateProblem, certificate: ShownCertificate | undefined, nowMs: number): string => {
  const { endsMs = nowMs, startsMs = nowMs } = certificate ?? {}
  if (problem === 'missing') return 'is missing'
  if (problem === 'expired')
    return endsMs < nowMs ? `has expired on ${utcMinute(endsMs)}` : 'is of an authority whose own certificate has expired'
  if (problem === 'early')
    return startsMs > nowMs ? `is not valid before ${utcMinute(startsMs)}` : 'is of an authority that is not valid yet'
  return 'is not of an authority that is trusted here, or not for this use'
}
