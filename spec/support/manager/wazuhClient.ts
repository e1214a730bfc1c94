/** As a C program of a manager asks its cluster daemon: one request over a connection. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { ClusterFrameReader, clusterFrames } from '../../../src/wire/wazuh/clusterFrame.js'

const socketPath = 'queue/cluster/c-internal.sock'
const bounds = { messageBytesMax: 2 ** 28, dividedMax: 10 }

/** What the C client takes: the first frame, whatever its counter. */
export const askDaemon = async (home: string, command: string, request: string): Promise<{ command: string; payload: string }> => {
  const socket = connect(join(home, socketPath))
  const reader = new ClusterFrameReader(bounds)
  try {
    await once(socket, 'connect')
    for (const part of clusterFrames({ counter: 1, command, payload: Buffer.from(request) })) socket.write(part)
    for await (const bytes of socket) {
      reader.append(bytes as Buffer)
      const read = reader.next()
      if (!read.ok) throw read.error
      if (read.value) return { command: read.value.command, payload: read.value.payload.toString() }
    }
    throw new Error(`'${command}' was not answered`)
  } finally {
    socket.destroy()
  }
}
