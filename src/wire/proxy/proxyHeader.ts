/**
 * The header of the PROXY protocol, versions 1 and 2, with which a balancer says whom it forwards. It is read from the first bytes of
 * a connection, however they arrive; what follows it belongs to the stream. Only of streams: forwarded datagrams are refused.
 */
import { limits } from '../../base/limits.js'
import { type AddressBytes, addressBytes, addressText } from '../../domain/kit/addressInNetwork.js'

export interface ProxySource {
  readonly address: string
  readonly port: number
}

export type ProxyHeader =
  | { readonly kind: 'incomplete' }
  /** Without a source: the balancer speaks for itself (a health check), or does not know. */
  | { readonly kind: 'header'; readonly byteCount: number; readonly source?: ProxySource }
  | { readonly kind: 'invalid'; readonly reason: string }

const incomplete: ProxyHeader = { kind: 'incomplete' }
const invalid = (reason: string): ProxyHeader => ({ kind: 'invalid', reason })

const lineBytesMax = 107
const lineStart = Buffer.from('PROXY ')
const portPattern = /^(?:0|[1-9]\d{0,4})$/
const portMax = 65_535

const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const fixedBytes = 16
const commands = { local: 0, proxy: 1 } as const
const families = { ipv4: 1, ipv6: 2 } as const
const datagram = 2
const familyBytes = { ipv4: 4, ipv6: 16 } as const

const startsAlike = (bytes: Uint8Array, start: Uint8Array): boolean => {
  const count = Math.min(bytes.length, start.length)
  for (let i = 0; i < count; i++) if (bytes[i] !== start[i]) return false
  return true
}

/** @param bytes all that has arrived so far */
export const readProxyHeader = (bytes: Uint8Array): ProxyHeader => {
  if (startsAlike(bytes, lineStart)) return readLine(bytes)
  if (startsAlike(bytes, signature)) return readBinary(bytes)
  return invalid('it does not begin with a header of the PROXY protocol')
}

const readLine = (bytes: Uint8Array): ProxyHeader => {
  const newline = bytes.subarray(0, lineBytesMax).indexOf(0x0a)
  if (newline < 0) return bytes.length < lineBytesMax ? incomplete : invalid('its line is too long')
  if (bytes[newline - 1] !== 0x0d) return invalid('its line does not end in CR and LF')
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, newline - 1).toString('latin1')
  const byteCount = newline + 1
  const [, family, from = '', to = '', fromPort = '', toPort = '', ...more] = line.split(' ')
  if (family === 'UNKNOWN') return { kind: 'header', byteCount }
  if (family !== 'TCP4' && family !== 'TCP6') return invalid('its protocol is not TCP4, TCP6 or UNKNOWN')
  const isIpv6 = family === 'TCP6'
  const source = isOfFamily(from, isIpv6) && isOfFamily(to, isIpv6) ? addressBytes(from) : undefined
  if (more.length > 0 || !source || !isPort(fromPort) || !isPort(toPort)) return invalid('its addresses or ports are not valid')
  return { kind: 'header', byteCount, source: { address: addressText(source), port: Number(fromPort) } }
}

const isOfFamily = (address: string, isIpv6: boolean): boolean =>
  address.includes(':') === isIpv6 && !address.includes('%') && addressBytes(address) !== undefined

const isPort = (text: string): boolean => portPattern.test(text) && Number(text) <= portMax

const readBinary = (bytes: Uint8Array): ProxyHeader => {
  if (bytes.length < fixedBytes) return incomplete
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const version = view.getUint8(12) >> 4
  const command = view.getUint8(12) & 0xf
  const family = view.getUint8(13) >> 4
  const protocol = view.getUint8(13) & 0xf
  const restBytes = view.getUint16(14)
  const byteCount = fixedBytes + restBytes
  if (version !== 2 || (command !== commands.local && command !== commands.proxy)) return invalid('its version or command is not known')
  if (byteCount > limits.proxyHeaderBytesMax) return invalid('it is too long')
  const isForwarded = command === commands.proxy && (family === families.ipv4 || family === families.ipv6)
  if (isForwarded && protocol === datagram) return invalid('it is of datagrams')
  const addressLength = family === families.ipv4 ? familyBytes.ipv4 : familyBytes.ipv6
  if (isForwarded && restBytes < 2 * addressLength + 4) return invalid('its addresses are cut short')
  if (bytes.length < byteCount) return incomplete
  if (!isForwarded) return { kind: 'header', byteCount }
  const address = [...bytes.subarray(fixedBytes, fixedBytes + addressLength)]
  return { kind: 'header', byteCount, source: { address: addressText(address), port: view.getUint16(fixedBytes + 2 * addressLength) } }
}

/** Addresses of one family each. */
export const proxyHeaderLine = (source: ProxySource, target: ProxySource): Uint8Array =>
  Buffer.from(`PROXY TCP${source.address.includes(':') ? 6 : 4} ${source.address} ${target.address} ${source.port} ${target.port}\r\n`)

/** `extra`: type-length-value fields, as they are. */
export const proxyHeaderBytes = (source: AddressPort, target: AddressPort, extra: Uint8Array = new Uint8Array(0)): Uint8Array => {
  const addresses = [...source.bytes, ...target.bytes]
  const header = Buffer.alloc(fixedBytes + addresses.length + 4 + extra.length)
  header.set(signature)
  header[12] = 0x20 | commands.proxy
  header[13] = ((source.bytes.length === familyBytes.ipv4 ? families.ipv4 : families.ipv6) << 4) | 1
  header.writeUInt16BE(header.length - fixedBytes, 14)
  header.set(addresses, fixedBytes)
  header.writeUInt16BE(source.port, fixedBytes + addresses.length)
  header.writeUInt16BE(target.port, fixedBytes + addresses.length + 2)
  header.set(extra, fixedBytes + addresses.length + 4)
  return header
}

interface AddressPort {
  readonly bytes: AddressBytes
  readonly port: number
}
