/** A `ByteStream` over a socket of Node: TCP, TLS or local. */
import type { Socket } from 'node:net'
import type { ByteStream, ByteStreamEvents } from '../../ports/network.js'
import { plainAddress } from './tcpSocket.js'

/** `remoteAddress` is for sockets that have none of their own. */
export const tcpByteStream = (socket: Socket, remoteAddress?: string): ByteStream => {
  // Before `attach` nothing is delivered, but an error must find a listener at any time.
  let failure: Error | undefined
  socket.on('error', (error) => {
    failure = error
  })
  return {
    remoteAddress: remoteAddress ?? plainAddress(socket.remoteAddress ?? 'unknown'),
    write: (parts) => {
      if (socket.destroyed || socket.writableEnded) return true
      const [only] = parts
      if (parts.length === 1 && only) return socket.write(only)
      // Corked parts leave in one system call.
      socket.cork()
      for (const part of parts) socket.write(part)
      socket.uncork()
      return !socket.writableNeedDrain
    },
    pause: () => {
      socket.pause()
    },
    resume: () => {
      socket.resume()
    },
    end: () => {
      socket.end()
    },
    destroy: () => {
      socket.destroy()
    },
    attach: (events: ByteStreamEvents) => {
      socket.on('data', (bytes: Buffer) => events.onBytes(bytes))
      socket.on('drain', () => events.onDrain())
      socket.on('end', () => events.onEnd?.())
      socket.on('close', () => events.onClosed(failure))
    },
  }
}
