/** UDP sockets. Nothing that a peer or the way does ends one: a datagram that cannot be sent or taken is lost. */
import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { limits } from '../../base/limits.js'
import type { DatagramSocket, DatagramSource, Endpoint } from '../../ports/network.js'
import { bareHost, listenFailed, plainAddress } from './tcpSocket.js'

type Family = 4 | 6

const resolved = async (host: string): Promise<{ readonly address: string; readonly family: Family }> => {
  const known = isIP(host)
  if (known !== 0) return { address: host, family: known === 6 ? 6 : 4 }
  const { address, family } = await lookup(host)
  return { address, family: family === 6 ? 6 : 4 }
}

/** Peers are named by address: asking the resolver for each datagram would cost more than sending it. */
const socketOf = (family: Family): Socket =>
  createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    recvBufferSize: limits.datagramReceiveBytes,
    lookup: (host, _options, callback) => callback(null, host, family),
  })

const bound = (socket: Socket, address: string, endpoint: Endpoint): Promise<void> =>
  new Promise((resolve, reject) => {
    const onError = (cause: Error): void => reject(listenFailed(endpoint, cause))
    socket.once('error', onError)
    socket.bind({ address, port: endpoint.port }, () => {
      socket.off('error', onError)
      // For example ECONNREFUSED, which an earlier datagram met on its way.
      socket.on('error', () => {})
      resolve()
    })
  })

const closed = (socket: Socket): Promise<void> => new Promise((resolve) => socket.close(() => resolve()))

/** A socket of both families names IPv4 peers as IPv6 ones. */
const nameOn = (family: Family, address: string): string => (family === 6 && !address.includes(':') ? `::ffff:${address}` : address)

const ignored = (): void => {}

export const openDatagrams = async (
  endpoint: Endpoint,
  onDatagram: (bytes: Uint8Array, from: DatagramSource) => void,
): Promise<DatagramSocket> => {
  const { address, family } = await resolved(bareHost(endpoint.host)).catch((cause: Error) => {
    throw listenFailed(endpoint, cause)
  })
  const socket = socketOf(family)
  socket.on('message', (bytes, from) => onDatagram(bytes, { address: plainAddress(from.address), port: from.port }))
  await bound(socket, address, endpoint)
  const own = socket.address()
  let isOpen = true
  return {
    address: own.address,
    port: own.port,
    send: (bytes, to) => {
      if (!isOpen || bytes.length > limits.datagramBytesMax || !canReach(family, to)) return
      if (socket.getSendQueueSize() < limits.datagramSendQueueBytesMax) socket.send(bytes, to.port, nameOn(family, to.address), ignored)
    },
    close: async () => {
      if (!isOpen) return
      isOpen = false
      await closed(socket)
    },
  }
}

const canReach = (family: Family, { address, port }: DatagramSource): boolean => {
  const version = isIP(address)
  return port > 0 && port < 65_536 && (version === 4 || (version === 6 && family === 6))
}
