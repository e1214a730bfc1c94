/** Addresses and networks as client.keys, ossec.conf and sockets write them, and whether the one lies in the other. */
import { limits } from '../../base/limits.js'

/** 4 bytes, or 16. An IPv6 address that maps an IPv4 one is that one. */
export type AddressBytes = readonly number[]

export interface AddressNetwork {
  readonly bytes: AddressBytes
  /** The bits that count. */
  readonly mask: AddressBytes
}

const ipv4Pattern = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/
const ipv6GroupPattern = /^[0-9A-Fa-f]{1,4}$/
const prefixPattern = /^(?:0|[1-9]\d{0,2})$/
const ipv6Bytes = 16
/** Of an IPv6 address, before the IPv4 address that it maps. */
const mappedBytes = 12

export const isIpv4 = (text: string): boolean => ipv4Pattern.test(text)

const ipv4BytesOf = (text: string): AddressBytes | undefined => (isIpv4(text) ? text.split('.').map(Number) : undefined)

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

/** The eight numbers of an IPv6 address; undefined for what is not one. */
export const ipv6Groups = (text: string): readonly number[] | undefined => {
  const bytes = ipv6BytesOf(text)
  return bytes && groupsIn(bytes)
}

const groupsIn = (bytes: AddressBytes): readonly number[] =>
  Array.from({ length: ipv6Bytes / 2 }, (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0))

const isMapped = (bytes: AddressBytes): boolean =>
  bytes.length === ipv6Bytes && bytes.every((byte, i) => (i < 10 ? byte === 0 : i < 12 ? byte === 0xff : true))

/** Undefined for what is not an address. The zone of a link-local one (`%eth0`) does not count. */
export const addressBytes = (text: string): AddressBytes | undefined => {
  if (text.length > limits.agentIpCharsMax) return undefined
  if (!text.includes(':')) return ipv4BytesOf(text)
  const zone = text.indexOf('%')
  const bytes = ipv6BytesOf(zone < 0 ? text : text.slice(0, zone))
  return bytes && isMapped(bytes) ? bytes.slice(mappedBytes) : bytes
}

const prefixMask = (byteCount: number, bits: number): AddressBytes =>
  Array.from({ length: byteCount }, (_, i) => (0xff00 >> Math.min(8, Math.max(0, bits - i * 8))) & 0xff)

/** The mask of an IPv4 network may be written as an address. */
const maskOf = (text: string, byteCount: number): AddressBytes | undefined => {
  if (prefixPattern.test(text) && Number(text) <= byteCount * 8) return prefixMask(byteCount, Number(text))
  return byteCount === ipv6Bytes ? undefined : ipv4BytesOf(text)
}

/** An address, `address/bits` or `address/mask`. */
export const addressNetwork = (text: string): AddressNetwork | undefined => {
  if (text.length > limits.agentIpCharsMax || text.includes('%')) return undefined
  const slash = text.indexOf('/')
  const address = slash < 0 ? text : text.slice(0, slash)
  const bytes = address.includes(':') ? ipv6BytesOf(address) : ipv4BytesOf(address)
  const mask = bytes && (slash < 0 ? prefixMask(bytes.length, bytes.length * 8) : maskOf(text.slice(slash + 1), bytes.length))
  if (!mask) return undefined
  const isOfIpv4 = isMapped(bytes) && mask.slice(0, mappedBytes).every((byte) => byte === 0xff)
  return isOfIpv4 ? { bytes: bytes.slice(mappedBytes), mask: mask.slice(mappedBytes) } : { bytes, mask }
}

export const isInNetwork = (address: AddressBytes, { bytes, mask }: AddressNetwork): boolean =>
  address.length === bytes.length && mask.every((bits, i) => (((address[i] ?? 0) ^ (bytes[i] ?? 0)) & bits) === 0)

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
  if (isMapped(bytes)) return bytes.slice(mappedBytes).join('.')
  const groups = groupsIn(bytes).map((group) => group.toString(16))
  let run = { at: 0, length: 0 }
  for (let at = 0; at < groups.length; at++) {
    let length = 0
    while (groups[at + length] === '0') length++
    if (length > run.length) run = { at, length }
  }
  if (run.length < 2) return groups.join(':')
  return `${groups.slice(0, run.at).join(':')}::${groups.slice(run.at + run.length).join(':')}`
}

/** The same address however it is written, an IPv6 one in brackets too; or the same name. */
export const isSameAddress = (a: string, b: string): boolean => {
  const [left, right] = [a, b].map((text) => addressBytes(text.replace(/^\[(.*)\]$/, '$1')))
  return left && right ? left.length === right.length && left.every((byte, at) => byte === right[at]) : a === b
}
