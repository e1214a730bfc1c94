/** TCP sockets as Node has them: how they are dialled and listened for, whatever is spoken over them. */
import { connect, type Server, type Socket } from 'node:net'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { Endpoint } from '../../ports/network.js'

export const shownEndpoint = ({ host, port }: Endpoint): string => (host.includes(':') ? `[${bareHost(host)}]:${port}` : `${host}:${port}`)

/** An operator may write an IPv6 address with or without brackets. */
export const bareHost = (host: string): string => (host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host)

/** An IPv4 peer of a socket that listens on both families is written as what it is. */
export const plainAddress = (address: string): string =>
  address.startsWith('::ffff:') && address.includes('.') ? address.slice('::ffff:'.length) : address

export const dialAborted = (): ClusterError => new ClusterError('aborted', { message: 'Dialing was stopped' })

export const dialSocket = (endpoint: Endpoint, signal: AbortSignal): Promise<Socket> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(dialAborted())
    const socket = connect({ host: bareHost(endpoint.host), port: endpoint.port, noDelay: true, keepAlive: true })
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort)
      socket.setTimeout(0)
      socket.removeAllListeners()
    }
    const giveUp = (error: ClusterError): void => {
      settle()
      socket.on('error', () => {})
      socket.destroy()
      reject(error)
    }
    const onAbort = (): void => giveUp(dialAborted())
    const onError = (cause: Error): void => {
      settle()
      // With several addresses of a name the message is empty and the reasons are inside.
      const reason = cause instanceof AggregateError ? cause.errors.map(String).join(', ') : cause.message
      reject(new ClusterError('dialFailed', { message: reason, cause }))
    }
    const onConnect = (): void => {
      settle()
      resolve(socket)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('connect', onConnect)
    socket.on('error', onError)
    socket.setTimeout(limits.connectMsMax, () =>
      giveUp(
        new ClusterError('dialFailed', { message: `${shownEndpoint(endpoint)} did not answer within ${limits.connectMsMax / 1000} s` }),
      ),
    )
  })

/** Files ran out, of the process (EMFILE) or of the machine (ENFILE). */
const notAccepted = (cause: NodeJS.ErrnoException): ClusterError =>
  cause.code === 'EMFILE' || cause.code === 'ENFILE'
    ? new ClusterError('overloaded', {
        message: `It could not be accepted, because too many files and sockets are open (${cause.code}): raise the limit of open files`,
        cause,
      })
    : new ClusterError('linkClosed', { message: `It could not be accepted: ${cause.message}`, cause })

/** Resolves when the server listens, with where; it goes on when a connection cannot be accepted. */
export const startServer = (
  server: Server,
  endpoint: Endpoint,
  onAcceptError: ((error: ClusterError) => void) | undefined,
): Promise<{ readonly address: string; readonly port: number }> =>
  new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(listenFailed(endpoint, cause))
    server.once('error', onError)
    server.listen({ host: bareHost(endpoint.host), port: endpoint.port }, () => {
      server.off('error', onError)
      server.on('error', (cause) => onAcceptError?.(notAccepted(cause)))
      const address = server.address()
      resolve(typeof address === 'object' && address ? address : { address: endpoint.host, port: endpoint.port })
    })
  })

export const listenFailed = (endpoint: Endpoint, cause: Error): ClusterError =>
  new ClusterError('listenFailed', { message: `Could not listen on ${shownEndpoint(endpoint)}: ${cause.message}`, cause })
