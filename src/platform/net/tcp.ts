/** The network of the real world: TCP over IPv4 and IPv6. Names are resolved at each dial. */
import { createServer, type Socket } from 'node:net'
import type { Listener, Network } from '../../ports/network.js'
import { tcpByteStream } from './tcpByteStream.js'
import { dialSocket, startServer } from './tcpSocket.js'

export const createTcpNetwork = (): Network => ({
  dial: async (endpoint, signal) => {
    const socket = await dialSocket(endpoint, signal)
    return tcpByteStream(socket)
  },
  listen: async (endpoint, onConnection, onAcceptError): Promise<Listener> => {
    const server = createServer({ noDelay: true, keepAlive: true }, (socket: Socket) => onConnection(tcpByteStream(socket)))
    const { address, port } = await startServer(server, endpoint, onAcceptError)
    return {
      address,
      port,
      // Stops accepting at once; connections that are in stay.
      close: async () => {
        server.close()
      },
    }
  },
})
