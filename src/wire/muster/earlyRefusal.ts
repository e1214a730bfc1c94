/**
 * Why a side ends the connection before the handshake of the session, where the reason lies under it: the channel or its certificates. It stands
 * in place of what that side would say first. Without TLS, or with a certificate that is not trusted, it proves nothing: it is for the log.
 */
import { format, magic } from './preamble.js'

/** Codes on the wire. Append-only. */
const reasons = { tlsRequired: 1, missing: 2, expired: 3, early: 4, untrusted: 5 } as const

export type EarlyRefusal = keyof typeof reasons

export const earlyRefusalBytes = 8
/** Where a preamble has its range of versions, which never begins so high. */
const mark = 0xff

export const encodeEarlyRefusal = (reason: EarlyRefusal): Uint8Array => Uint8Array.of(...magic, format, mark, reasons[reason], 0)

/** Undefined: it is something else, or a reason that this build does not know. */
export const decodeEarlyRefusal = (bytes: Uint8Array): EarlyRefusal | undefined => {
  if (bytes.byteLength !== earlyRefusalBytes) return undefined
  const known = Object.keys(reasons) as EarlyRefusal[]
  return known.find((reason) => Buffer.compare(encodeEarlyRefusal(reason), bytes) === 0)
}
