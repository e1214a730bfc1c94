/** Names of nodes, which are names of files and of certificates too. */
import { shown } from '../../base/shown.js'

export const rootName = 'root-ca'
export const intermediateName = 'intermediate-ca'
export const adminName = 'admin'

/** Of a common name (RFC 5280). */
const nameCharsMax = 64
const namePattern = /^[a-zA-Z0-9._-]+$/

/** The indexer compares common names without their case: a node of this name would be its administrator. */
const reserved: ReadonlySet<string> = new Set([adminName, rootName, intermediateName])

export interface NameRefusal {
  readonly sentence: string
  readonly detail?: string
}

/** Why there can be no node of this name, in Wazuh's sentences where it has one; undefined when there can. */
export const nameRefusal = (name: string): NameRefusal | undefined => {
  if (!namePattern.test(name))
    return { sentence: `Invalid node name: ${shownName(name)}. Only alphanumeric characters, dots, dashes, and underscores are allowed.` }
  if (/^[-.]/.test(name)) return { sentence: `Node name cannot start with dash or dot: ${shownName(name)}` }
  if (name.length > nameCharsMax)
    return { sentence: `Node name too long: ${shownName(name)}`, detail: `a certificate takes ${nameCharsMax} characters` }
  if (reserved.has(name.toLowerCase()))
    return { sentence: `Invalid node name: ${name}.`, detail: `${name.toLowerCase()} is the name of a certificate of its own` }
  if (name.endsWith('-key')) return { sentence: `Invalid node name: ${name}.`, detail: 'files that end in -key.pem are keys' }
  return undefined
}

/** The same in one sentence. */
export const nameRefusalText = (name: string): string | undefined => {
  const refusal = nameRefusal(name)
  return refusal?.detail === undefined ? refusal?.sentence : `${refusal.sentence} (${refusal.detail})`
}

/** As Wazuh shows it, when it is harmless. */
const shownName = (name: string): string => (/^[\x20-\x7e]{0,100}$/.test(name) ? name : shown(name))

export const certificateFile = (name: string): string => `${name}.pem`
/** The key of an authority has a name of its own. */
export const keyFile = (name: string): string => (name === rootName || name === intermediateName ? `${name}.key` : `${name}-key.pem`)
