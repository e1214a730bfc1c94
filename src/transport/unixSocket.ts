/** Byte streams over a local socket, for those who ask a daemon on the same machine. */
import { connect, createServer } from 'node:net'
import { ClusterError } from '../errors.js'
import type { ByteStream } from '../ports.js'
import { closeServer, startServer } from './tcp.js'
import { tcpByteStream } from './tcpByteStream.js'

/** Fails with `notRunning` when nobody listens there. */
export const dialUnixSocket = (path: string): Promise<ByteStream> =>
  new Promise((resolve, reject) => {
    const socket = connect({ path })
    const onError = (cause: Error): void => reject(new ClusterError('notRunning', { cause }))
    socket.once('error', onError)
    socket.once('connect', () => {
      socket.off('error', onError)
      resolve(tcpByteStream(socket, path))
    })
  })

export const listenUnixSocket = async (
  path: string,
  onConnection: (stream: ByteStream) => void,
  onAcceptError?: (error: ClusterError) => void,
): Promise<{ close(): Promise<void> }> => {
  const server = createServer((socket) => onConnection(tcpByteStream(socket, path)))
  await startServer(server, { shown: path, options: { path } }, onAcceptError)
  return { close: () => closeServer(server) }
}
