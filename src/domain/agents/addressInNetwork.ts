/** Addresses and networks as client.keys, ossec.conf and sockets write them, and whether the one lies in the other. */
import { limits } from '../../base/limits.js'

/** 4 bytes, or 16. An IPv6 address that maps an IPv4 one is that one. */
export type AddressBytes = readonly number[]

export interface AddressNetwork {
  readonly bytes: AddressBytes
  readonly prefixBits: number
}

const ipv4Pattern = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/
const ipv6GroupPattern = /^[0-9A-Fa-f]{1,4}$/
const prefixPattern = /^(?:0|[1-9]\d{0,2})$/
const ipv6Bytes = 16
const mappedPrefixBits = 96

const ipv4BytesOf = (text: string): AddressBytes | undefined => (ipv4Pattern.test(text) ? text.split('.').map(Number) : undefined)

/** Groups of 16 bits; the last two of the address may be written as an IPv4 address. */
const bytesOfGroups = (text: string, isEnd: boolean): AddressBytes | undefined => {
  if (text === '') return []
  const groups = text.split(':')
  const bytes: number[] = []
  for (const [index, group] of groups.entries()) {
    const ipv4 = isEnd && index === groups.length - 1 ? ipv4BytesOf(group) : undefined
    if (ipv4) bytes.push(...ipv4)
    else if (ipv6GroupPattern.test(group)) bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff)
    else return undefined
  }
  return bytes
}

/** One run of zeros, of a group at least, may be left out. */
const ipv6BytesOf = (text: string): AddressBytes | undefined => {
  const [left = '', right, ...more] = text.split('::')
  if (more.length > 0) return undefined
  const head = bytesOfGroups(left, right === undefined)
  const tail = bytesOfGroups(right ?? '', true)
  if (!head || !tail) return undefined
  const missing = ipv6Bytes - head.length - tail.length
  if (right === undefined ? missing !== 0 : missing < 2) return undefined
  return [...head, ...Array.from({ length: missing }, () => 0), ...tail]
}

const isMapped = (bytes: AddressBytes): boolean =>
  bytes.length === ipv6Bytes && bytes.every((byte, i) => (i < 10 ? byte === 0 : i < 12 ? byte === 0xff : true))

/** Undefined for what is not an address. The zone of a link-local one (`%eth0`) does not count. */
export const addressBytes = (text: string): AddressBytes | undefined => {
  if (text.length > limits.agentIpCharsMax) return undefined
  if (!text.includes(':')) return ipv4BytesOf(text)
  const zone = text.indexOf('%')
  const bytes = ipv6BytesOf(zone < 0 ? text : text.slice(0, zone))
  return bytes && isMapped(bytes) ? bytes.slice(12) : bytes
}

/** An address, or `address/bits`. */
export const addressNetwork = (text: string): AddressNetwork | undefined => {
  if (text.length > limits.agentIpCharsMax || text.includes('%')) return undefined
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const whole = address.includes(':') ? ipv6BytesOf(address) : ipv4BytesOf(address)
  if (!whole) return undefined
  const prefix = slash < 0 ? String(whole.length * 8) : text.slice(slash + 1)
  const prefixBits = Number(prefix)
  if (!prefixPattern.test(prefix) || prefixBits > whole.length * 8) return undefined
  return isMapped(whole) && prefixBits >= mappedPrefixBits
    ? { bytes: whole.slice(12), prefixBits: prefixBits - mappedPrefixBits }
    : { bytes: whole, prefixBits }
}

export const isInNetwork = (address: AddressBytes, { bytes, prefixBits }: AddressNetwork): boolean => {
  if (address.length !== bytes.length) return false
  for (let i = 0; i * 8 < prefixBits; i++) {
    const shift = Math.max(0, (i + 1) * 8 - prefixBits)
    if ((address[i] ?? 0) >> shift !== (bytes[i] ?? 0) >> shift) return false
  }
  return true
}

/** `network`: `any`, an address or a network, as client.keys has it. What is not an address is in no network. */
export const addressInNetwork = (address: string, network: string): boolean => {
  if (network === 'any') return true
  return addressesIn([network])(address)
}

/** Whether an address is in one of these; what is not a network counts for nothing. */
export const addressesIn = (networks: readonly string[]): ((address: string) => boolean) => {
  const parsed = networks.map(addressNetwork).filter((network) => network !== undefined)
  if (parsed.length === 0) return () => false
  return (address) => {
    const bytes = addressBytes(address)
    return bytes !== undefined && parsed.some((network) => isInNetwork(bytes, network))
  }
}

/** As sockets name it: IPv6 in lower case, without leading zeros, its first longest run of zeros left out. */
export const addressText = (bytes: AddressBytes): string => {
  if (bytes.length !== ipv6Bytes) return bytes.join('.')
  if (isMapped(bytes)) return bytes.slice(12).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16))
  let run = { at: 0, length: 0 }
  for (let at = 0; at < groups.length; at++) {
    let length = 0
    while (groups[at + length] === '0') length++
    if (length > run.length) run = { at, length }
  }
  if (run.length < 2) return groups.join(':')
  return `${groups.slice(0, run.at).join(':')}::${groups.slice(run.at + run.length).join(':')}`
}
