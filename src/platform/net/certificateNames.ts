/** The names that a peer's certificate is for: its common name, DNS names and addresses. */
import type { X509Certificate } from 'node:crypto'
import type { PeerCertificate, TLSSocket } from 'node:tls'
import { escapeText } from '../../base/escapeText.js'
import { limits } from '../../base/limits.js'
import type { ShownCertificate } from '../../domain/cluster/nodeCertificate.js'
import { addressBytes, addressText } from '../../domain/kit/addressInNetwork.js'

/** One entry after the other, so that nothing inside a quoted one is taken for another. */
const entryPattern = /(?:^|, )([^:,"]+):("(?:[^"\\]|\\.)*"|[^,]*)/gy

/** Node quotes names, as JSON does, that would be ambiguous otherwise. */
const unquoted = (name: string): string => {
  if (!name.startsWith('"')) return name
  try {
    const parsed: unknown = JSON.parse(name)
    return typeof parsed === 'string' ? parsed : ''
  } catch {
    return ''
  }
}

const entriesOf = (subjectAltName: string): readonly { readonly kind: string; readonly name: string }[] =>
  [...subjectAltName.matchAll(entryPattern)].map(([, kind = '', name = '']) => ({ kind, name }))

export const altNames = (subjectAltName: string): readonly string[] =>
  entriesOf(subjectAltName)
    .filter(({ kind }) => kind === 'DNS' || kind === 'IP Address')
    .map(({ name }) => {
      const address = addressBytes(name)
      return address ? addressText(address) : unquoted(name)
    })

const bounded = (names: readonly unknown[]): readonly string[] =>
  names
    .filter((name) => typeof name === 'string')
    .filter((name) => name !== '' && name.length <= limits.certificateNameCharsMax)
    .slice(0, limits.certificateNamesMax)

/** Whatever the types say, without a certificate there is no subject, and a name that occurs twice is a list. */
const commonNamesOf = ({ subject }: PeerCertificate): readonly unknown[] => [subject?.CN].flat()

export const certificateNames = (socket: TLSSocket): readonly string[] => {
  const shown = socket.getPeerCertificate()
  return bounded([...commonNamesOf(shown), ...altNames(shown.subjectaltname ?? '')])
}

/** Of a certificate whose names cannot all be read, or kept: it names no node, and its common name does not count. */
const unreadable = ''

export const dnsNamesIn = (subjectAltName: string): readonly string[] => {
  const matches = [...subjectAltName.matchAll(entryPattern)]
  const readChars = matches.reduce((sum, [entry]) => sum + entry.length, 0)
  const written = matches.filter(([, kind]) => kind === 'DNS').map(([, , name = '']) => unquoted(name))
  const names = bounded(written)
  return names.length < written.length || readChars < subjectAltName.length ? [...names, unreadable] : names
}

/** What a certificate says of the node that it is for; undefined without a certificate, which Node has as an empty object. */
export const shownCertificate = (shown: PeerCertificate): ShownCertificate | undefined => {
  if (Object.keys(shown).length === 0) return undefined
  return {
    commonNames: bounded(commonNamesOf(shown)),
    dnsNames: dnsNamesIn(shown.subjectaltname ?? ''),
    startsMs: Date.parse(shown.valid_from),
    endsMs: Date.parse(shown.valid_to),
    fingerprint: shown.fingerprint256.replaceAll(':', '').toLowerCase(),
  }
}

/** The whole subject on one line, as there are authorities without a common name. */
export const certificateTitle = ({ subject }: X509Certificate): string =>
  escapeText((subject ?? '').split('\n').join(', ').slice(0, limits.certificateNameCharsMax))
