/** The names that a peer's certificate is for: its common name, DNS names and addresses. */
import type { TLSSocket } from 'node:tls'
import { limits } from '../../base/limits.js'
import { addressBytes, addressText } from '../../domain/kit/addressInNetwork.js'

const altNamePattern = /(?:^|, )(?:DNS|IP Address):("(?:[^"\\]|\\.)*"|[^,]*)/g

/** Node quotes names, as JSON does, that would be ambiguous otherwise. */
const unquoted = (name: string): string => {
  if (!name.startsWith('"')) return name
  const parsed: unknown = JSON.parse(name)
  return typeof parsed === 'string' ? parsed : ''
}

export const altNames = (subjectAltName: string): readonly string[] =>
  [...subjectAltName.matchAll(altNamePattern)].map(([, name = '']) => {
    const address = addressBytes(name)
    return address ? addressText(address) : unquoted(name)
  })

export const certificateNames = (socket: TLSSocket): readonly string[] => {
  const { subject, subjectaltname } = socket.getPeerCertificate()
  // Whatever the types say, without a certificate there is no subject, and a name that stands twice is a list.
  const commonNames: readonly unknown[] = [subject?.CN].flat()
  return [...commonNames, ...altNames(subjectaltname ?? '')]
    .filter((name) => typeof name === 'string')
    .filter((name) => name !== '' && name.length <= limits.certificateNameCharsMax)
    .slice(0, limits.certificateNamesMax)
}
