/** The address that client.keys gets for an agent, written as Wazuh writes it: IPv6 with all its zeros and in upper case. */

import { isAgentIp } from '../agents/keyLine.js'
import { ipv6Groups } from '../kit/addressInNetwork.js'

export const anyIp = 'any'

const expanded = (address: string): string =>
  ipv6Groups(address)
    ?.map((group) => group.toString(16).toUpperCase().padStart(4, '0'))
    .join(':') ?? address

/** What an agent asked for: `any`, an address or a network; undefined when it is not one. */
export const requestedIp = (text: string): string | undefined => {
  if (!isAgentIp(text)) return undefined
  if (!text.includes(':')) return text
  const [address = '', bits] = text.split('/')
  return bits === undefined ? expanded(address) : `${expanded(address)}/${bits}`
}

const mappedGroups = '0000:0000:0000:0000:0000:FFFF:'

/** The address that an agent came from, as a socket names it. One that maps an IPv4 address is that one. */
export const sourceIp = (address: string): string => {
  if (!address.includes(':')) return address
  const [plain = ''] = address.split('%')
  const text = expanded(plain)
  if (!text.startsWith(mappedGroups)) return text
  const bytes = Buffer.from(text.slice(mappedGroups.length).replace(':', ''), 'hex')
  return [...bytes].join('.')
}
