/**
 * What is in each certificate, as data: the modern form, and the exact one of wazuh-certs-tool.sh (`compatible`). The subjects are
 * Wazuh's in both, in its order: the indexer lists that of the administrator.
 */
import { type AltName, altNameOf, distinctAltNames } from './altName.js'
import { adminName } from './nodeName.js'

export type CertificateForm = 'modern' | 'compatible'

export type KeyUsage = 'digitalSignature' | 'nonRepudiation' | 'keyEncipherment' | 'dataEncipherment' | 'keyCertSign' | 'cRLSign'

export type SubjectAttribute = readonly [type: 'C' | 'ST' | 'L' | 'O' | 'OU' | 'CN', value: string]

export interface CertificateProfile {
  /** One of version 1 has no extensions. */
  readonly version: 1 | 3
  readonly basicConstraints?: { readonly isAuthority: boolean; readonly isCritical: boolean; readonly pathLength?: number }
  readonly keyUsage?: { readonly usages: readonly KeyUsage[]; readonly isCritical: boolean }
  readonly extendedKeyUsage?: readonly ('serverAuth' | 'clientAuth')[]
  readonly altNames: readonly AltName[]
  /** It is valid this long before it is made: clocks differ. */
  readonly backdatedMs: number
}

const authoritySubject: readonly SubjectAttribute[] = [
  ['OU', 'Wazuh'],
  ['O', 'Wazuh'],
  ['L', 'California'],
]

export const rootSubject = authoritySubject
export const intermediateSubject: readonly SubjectAttribute[] = [...authoritySubject, ['CN', 'Wazuh intermediate CA']]

/** Of the administrator and of every node. */
export const holderSubject = (commonName: string): readonly SubjectAttribute[] => [
  ['C', 'US'],
  ['L', 'California'],
  ['O', 'Wazuh'],
  ['OU', 'Wazuh'],
  ['CN', commonName],
]

const hourMs = 3_600_000

/** `pathLength`: how many authorities may stand below it. */
export const authorityProfile = (form: CertificateForm, pathLength: number): CertificateProfile =>
  form === 'compatible'
    ? { version: 3, basicConstraints: { isAuthority: true, isCritical: true }, altNames: [], backdatedMs: 0 }
    : {
        version: 3,
        basicConstraints: { isAuthority: true, isCritical: true, pathLength },
        keyUsage: { usages: ['keyCertSign', 'cRLSign'], isCritical: true },
        altNames: [],
        backdatedMs: hourMs,
      }

/** Only RSA can encipher a key. */
const modernUsages = (isRsa: boolean): readonly KeyUsage[] => (isRsa ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'])

const endEntity = { isAuthority: false, isCritical: true } as const

export const adminProfile = (form: CertificateForm, isRsa: boolean): CertificateProfile =>
  form === 'compatible'
    ? { version: 1, altNames: [], backdatedMs: 0 }
    : {
        version: 3,
        basicConstraints: endEntity,
        keyUsage: { usages: modernUsages(isRsa), isCritical: true },
        extendedKeyUsage: ['clientAuth'],
        altNames: [],
        backdatedMs: hourMs,
      }

/** A node is a server to some and a client of others, whatever its role. */
export const nodeProfile = (form: CertificateForm, isRsa: boolean, altNames: readonly AltName[]): CertificateProfile =>
  form === 'compatible'
    ? {
        version: 3,
        basicConstraints: { isAuthority: false, isCritical: false },
        keyUsage: { usages: ['digitalSignature', 'nonRepudiation', 'keyEncipherment', 'dataEncipherment'], isCritical: false },
        altNames,
        backdatedMs: 0,
      }
    : {
        version: 3,
        basicConstraints: endEntity,
        keyUsage: { usages: modernUsages(isRsa), isCritical: true },
        extendedKeyUsage: ['serverAuth', 'clientAuth'],
        altNames,
        backdatedMs: hourMs,
      }

/** The names that a node's certificate is for: its addresses, and in the modern form its own name, if DNS could have it. */
export const nodeAltNames = (form: CertificateForm, name: string, addresses: readonly AltName[]): readonly AltName[] => {
  const own = form === 'modern' && name !== adminName ? altNameOf(name) : undefined
  return distinctAltNames([...addresses, ...(own ? [own] : [])])
}
