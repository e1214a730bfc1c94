/**
 * A connection before its TLS handshake: the header of its proxy is taken off, and that a handshake follows is seen from its first
 * record, so that silence, plain text and half a hello cost a socket only.
 */
import type { Socket } from 'node:net'
import { readProxyHeader } from '../../wire/proxy/proxyHeader.js'

/** Of a TLS record that holds a part of a handshake. */
const handshakeRecord = 22
const recordHeaderBytes = 5
/** An agent's hello has some 500 bytes; of a larger one this much is enough to go on. */
const helloBytesEnough = 4_096

/** One that stops in the middle of its first record costs a socket only. */
const isWholeRecord = (bytes: Buffer): boolean =>
  bytes.length >= helloBytesEnough || (bytes.length >= recordHeaderBytes && bytes.length >= recordHeaderBytes + bytes.readUInt16BE(3))

export type Arrival =
  /** Its first bytes are back in the socket. */
  | { readonly kind: 'hello'; readonly forwardedFrom?: string }
  /** Something that is not TLS; it is back in the socket too. */
  | { readonly kind: 'other' }
  | { readonly kind: 'refused'; readonly reason: string }
  /** Closed before it forwarded anything, as balancers do to see whether somebody listens. */
  | { readonly kind: 'closed' }

/** @param bytes all that has arrived so far. Undefined: more is needed. */
const readArrival = (bytes: Buffer, isProxy: boolean): (Arrival & { readonly headerBytes: number }) | undefined => {
  const header = isProxy ? readProxyHeader(bytes) : { kind: 'header' as const, byteCount: 0 }
  if (header.kind === 'incomplete') return undefined
  if (header.kind === 'invalid')
    return { kind: 'refused', reason: `The header of the proxy is not valid: ${header.reason}`, headerBytes: 0 }
  const { byteCount: headerBytes, source } = header
  if (bytes.length === headerBytes) return undefined
  if (bytes[headerBytes] !== handshakeRecord) return { kind: 'other', headerBytes }
  if (!isWholeRecord(bytes.subarray(headerBytes))) return undefined
  return { kind: 'hello', headerBytes, ...(source && { forwardedFrom: source.address }) }
}

/** Nothing at all, or a header that forwards nobody. */
const isOfNobody = (bytes: Buffer): boolean => {
  if (bytes.length === 0) return true
  const header = readProxyHeader(bytes)
  return header.kind === 'header' && header.source === undefined
}

/** Calls back once, in the turn in which the bytes came; never when the socket is destroyed before. */
export const awaitHello = (socket: Socket, isProxy: boolean, onArrival: (arrival: Arrival) => void): void => {
  let bytes: Buffer = Buffer.alloc(0)
  const done = (arrival: Arrival): void => {
    socket.off('data', onData)
    socket.off('end', onEnd)
    onArrival(arrival)
  }
  const onEnd = (): void =>
    done(isProxy && isOfNobody(bytes) ? { kind: 'closed' } : { kind: 'refused', reason: 'It was closed before the handshake' })
  const onData = (more: Buffer): void => {
    bytes = bytes.length === 0 ? more : Buffer.concat([bytes, more])
    const arrival = readArrival(bytes, isProxy)
    if (!arrival) return
    // Paused first: a socket that flows would hand them out at once.
    socket.pause()
    socket.unshift(bytes.subarray(arrival.headerBytes))
    done(arrival)
  }
  socket.on('data', onData)
  socket.on('end', onEnd)
}
