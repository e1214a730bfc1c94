/** The network of the real world: TCP over IPv4 and IPv6. Names are resolved at each dial. */
import { connect, createServer, type Server, type Socket } from 'node:net'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { ByteStream, Endpoint, Listener, Network } from '../../ports/network.js'
import { tcpByteStream } from './tcpByteStream.js'

const shown = ({ host, port }: Endpoint): string => (host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`)

/** An operator may write an IPv6 address with or without brackets. */
const bare = (host: string): string => (host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host)

const dial = (endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new ClusterError('aborted', { message: 'Dialing was stopped' }))
    const socket = connect({ host: bare(endpoint.host), port: endpoint.port, noDelay: true, keepAlive: true })
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
    const onAbort = (): void => giveUp(new ClusterError('aborted', { message: 'Dialing was stopped' }))
    const onError = (cause: Error): void => {
      settle()
      // With several addresses of a name the message is empty and the reasons are inside.
      const reason = cause instanceof AggregateError ? cause.errors.map(String).join(', ') : cause.message
      reject(new ClusterError('dialFailed', { message: reason, cause }))
    }
    const onConnect = (): void => {
      settle()
      resolve(tcpByteStream(socket))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    socket.on('connect', onConnect)
    socket.on('error', onError)
    socket.setTimeout(limits.connectMsMax, () =>
      giveUp(new ClusterError('dialFailed', { message: `${shown(endpoint)} did not answer within ${limits.connectMsMax / 1000} s` })),
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

/** Resolves when the server listens; it goes on when a connection cannot be accepted. */
const startServer = (server: Server, endpoint: Endpoint, onAcceptError: ((error: ClusterError) => void) | undefined): Promise<void> =>
  new Promise((resolve, reject) => {
    const onError = (cause: Error): void =>
      reject(new ClusterError('listenFailed', { message: `Could not listen on ${shown(endpoint)}: ${cause.message}`, cause }))
    server.once('error', onError)
    server.listen({ host: bare(endpoint.host), port: endpoint.port }, () => {
      server.off('error', onError)
      server.on('error', (cause) => onAcceptError?.(notAccepted(cause)))
      resolve()
    })
  })

/** Stops accepting at once; connections that are in stay. */
const closeServer = (server: Server): Promise<void> => {
  server.close()
  return Promise.resolve()
}

export const createTcpNetwork = (): Network => ({
  dial,
  listen: async (endpoint, onConnection, onAcceptError): Promise<Listener> => {
    const server = createServer({ noDelay: true, keepAlive: true }, (socket: Socket) => onConnection(tcpByteStream(socket)))
    await startServer(server, endpoint, onAcceptError)
    const address = server.address()
    const known = typeof address === 'object' && address ? address : { address: endpoint.host, port: endpoint.port }
    return { address: known.address, port: known.port, close: () => closeServer(server) }
  },
})
