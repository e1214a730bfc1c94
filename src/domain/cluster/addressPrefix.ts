/** What counts as one address when connections are counted: an IPv4 address, or the /64 of an IPv6 address, which one host has whole. */
import { addressBytes, addressText } from '../kit/addressInNetwork.js'

const prefixBytes = 8

/** Of an address as a socket names it. An IPv6 address that maps an IPv4 one is that one; what is not an address is itself. */
export const addressPrefix = (address: string): string => {
  if (!address.includes(':')) return address
  const bytes = addressBytes(address)
  if (!bytes) return address
  return bytes.length === 4 ? addressText(bytes) : `${addressText(bytes.map((byte, i) => (i < prefixBytes ? byte : 0)))}/64`
}
