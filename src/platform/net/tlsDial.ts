/** Dialling over TLS: agents trust any server unless they are given its authority. */
import type { Socket } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { Endpoint, TlsClientOptions, TlsStream } from '../../ports/network.js'
import { certificateNames } from './certificateNames.js'
import { tcpByteStream } from './tcpByteStream.js'
import { dialAborted, dialSocket, plainAddress, shownEndpoint } from './tcpSocket.js'
import { contextOptions } from './tlsContext.js'

export const dialTls = async (endpoint: Endpoint, tls: TlsClientOptions, signal: AbortSignal): Promise<TlsStream> => {
  const context = contextOptions(tls)
  const socket = await dialSocket(endpoint, signal)
  // A TLS socket that failed no longer knows its peer.
  const remoteAddress = plainAddress(socket.remoteAddress ?? 'unknown')
  const secured = connect({
    socket,
    ...context,
    rejectUnauthorized: tls.ca !== undefined,
    checkServerIdentity: () => undefined,
  })
  await handshakeDone(secured, socket, endpoint, signal)
  return Object.assign(tcpByteStream(secured, remoteAddress), { peerNames: certificateNames(secured) })
}

/** Fails with `handshakeRefused`, `handshakeTimeout` and `aborted`; `isPlain` in the context where the peer closed without a byte. */
export const handshakeDone = (secured: TLSSocket, socket: Socket, endpoint: Endpoint, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', onAbort)
      secured.off('secureConnect', onSecured)
      secured.off('error', onError)
      secured.off('close', onClosed)
    }
    const giveUp = (error: ClusterError): void => {
      settle()
      secured.on('error', () => {})
      socket.on('error', () => {})
      secured.destroy()
      socket.destroy()
      reject(error)
    }
    const fail = (code: ErrorCode, what: string, cause?: Error): void =>
      giveUp(
        new ClusterError(code, {
          message: `${shownEndpoint(endpoint)} ${what}`,
          cause,
          context: { isPlain: code === 'handshakeRefused' && socket.bytesRead === 0 },
        }),
      )
    const onAbort = (): void => giveUp(dialAborted())
    const onError = (cause: Error): void => fail('handshakeRefused', `could not agree on TLS: ${cause.message}`, cause)
    const onClosed = (): void => fail('handshakeRefused', 'closed the connection during the TLS handshake')
    const onSecured = (): void => {
      settle()
      resolve()
    }
    const timer = setTimeout(
      () => fail('handshakeTimeout', `did not finish the TLS handshake within ${limits.handshakeMsMax / 1000} s`),
      limits.handshakeMsMax,
    )
    signal.addEventListener('abort', onAbort, { once: true })
    secured.on('secureConnect', onSecured)
    secured.on('error', onError)
    secured.on('close', onClosed)
    if (signal.aborted) onAbort()
  })
