/** What a certificate can be for: addresses and DNS names. */
import { limits } from '../../base/limits.js'
import { addressBytes, addressesIn, addressText } from '../kit/addressInNetwork.js'

export interface AltName {
  readonly type: 'ip' | 'dns'
  readonly value: string
}

const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?'
/** The last label has a letter, else it would be half of an address. */
const dnsPattern = new RegExp(`^(?:\\*\\.)?(?:${label}\\.)*(?=[^.]*[A-Za-z])${label}$`)
const dnsCharsMax = 253

/** Undefined for what is neither an address nor a DNS name. An address is brought into its usual form. */
export const altNameOf = (text: string): AltName | undefined => {
  if (text.length > Math.min(dnsCharsMax, limits.certificateNameCharsMax)) return undefined
  const bytes = addressBytes(text)
  if (bytes) return { type: 'ip', value: addressText(bytes) }
  return dnsPattern.test(text) ? { type: 'dns', value: text } : undefined
}

/** Each once; DNS names know no case. */
export const distinctAltNames = (names: readonly AltName[]): readonly AltName[] => {
  const byName = new Map<string, AltName>()
  for (const name of names) if (!byName.has(name.value.toLowerCase())) byName.set(name.value.toLowerCase(), name)
  return [...byName.values()]
}

/** Wazuh's list, and those that carriers and links use among themselves. */
export const isPrivateAddress = addressesIn([
  ...['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '100.64.0.0/10', '169.254.0.0/16'],
  ...['fc00::/7', 'fe80::/10', '::1/128'],
])
