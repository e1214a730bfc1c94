/** Clients of Wazuh's local socket, as its programs are: the C library's, which takes the first frame, and Python's, which waits for strings. */
import { connect, type Socket } from 'node:net'
import { wazuhSocketPath } from '../../../src/localSocket/controlSocketPath.js'
import { ClusterFrameReader, type ClusterMessage, clusterFrames } from '../../../src/wire/wazuh/clusterFrame.js'

export interface LocalAnswer {
  readonly command: string
  readonly text: string
}

const opened = (home: string, onMessage: (message: ClusterMessage, socket: Socket) => void, onEnd: () => void): Socket => {
  const reader = new ClusterFrameReader({ messageBytesMax: 2 ** 30, dividedMax: 10 })
  const socket = connect(wazuhSocketPath(home))
  socket.on('data', (bytes) => {
    reader.append(bytes)
    for (let next = reader.next(); next.ok && next.value; next = reader.next()) onMessage(next.value, socket)
  })
  socket.on('error', () => undefined)
  socket.on('close', onEnd)
  return socket
}

const write = (socket: Socket, counter: number, command: string, payload: string | Uint8Array): void => {
  for (const part of clusterFrames({ command, counter, payload: Buffer.from(payload) })) socket.write(part)
}

const closedEarly = (): Error => new Error('The local socket closed the connection without an answer')

/** One request, and the first frame that comes. */
export const askAsC = (home: string, command: string, payload: string): Promise<LocalAnswer> =>
  new Promise((resolve, reject) => {
    const socket = opened(
      home,
      (message) => {
        resolve({ command: message.command, text: message.payload.toString() })
        socket.destroy()
      },
      () => reject(closedEarly()),
    )
    write(socket, 1, command, payload)
  })

/** One request, and what it comes to: an immediate error, or the string that comes later, or the exception in its place. */
export const askAsPython = (home: string, command: string, payload: string | Uint8Array): Promise<LocalAnswer> =>
  new Promise((resolve, reject) => {
    const strings = new Map<string, Buffer[]>()
    const socket = opened(
      home,
      ({ command: name, counter, payload: bytes }) => {
        const end = (text: string): void => {
          resolve({ command: name, text })
          socket.destroy()
        }
        if (name === 'err' || name === 'dapi_err') return end(bytes.toString())
        if (name === 'new_str') {
          const id = String(strings.size + 7)
          strings.set(id, [])
          return write(socket, counter, 'ok', id)
        }
        const space = bytes.indexOf(0x20)
        if (name === 'str_upd') {
          strings.get(bytes.toString('utf8', 0, space))?.push(bytes.subarray(space + 1))
          return write(socket, counter, 'ok', 'String updated')
        }
        if (name === 'dapi_res') end(Buffer.concat(strings.get(bytes.toString()) ?? []).toString())
      },
      () => reject(closedEarly()),
    )
    write(socket, 1, command, payload)
  })
