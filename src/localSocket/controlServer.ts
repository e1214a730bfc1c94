/** The local socket of the daemon, over which cluster_control asks its questions. */
import { createServer, type Socket } from 'node:net'
import { ClusterError } from '../base/errors.js'
import type { Log } from '../ports/machine.js'
import { type Answer, ControlConnection, type ControlLimits } from './controlConnection.js'
import { listenAt, within } from './socketFile.js'

export interface ControlServerOptions {
  readonly socketPath: string
  readonly answer: Answer
  readonly log: Log
  readonly limits: ControlLimits
}

export interface ControlServer {
  /** Ends every conversation within a second and removes the socket file. */
  close(): Promise<void>
}

const stopMsMax = 1_000

/** Fails with `alreadyRunning` when a daemon answers there, with `listenFailed` when the socket cannot be made. */
export const startControlServer = async (options: ControlServerOptions): Promise<ControlServer> => {
  const { socketPath, limits } = options
  const log = options.log.at({ tag: 'Local Server', subtag: 'Main' })
  const connections = new Map<ControlConnection, Promise<void>>()
  const server = createServer((socket) => admit(socket))
  const admit = (socket: Socket): void => {
    // Beyond the cap a client gets an error; beyond twice the cap there is no time even for that.
    if (connections.size >= 2 * limits.controlConnectionsMax) {
      socket.destroy()
      return
    }
    const connection = new ControlConnection(socket, limits, log)
    const conversation =
      connections.size < limits.controlConnectionsMax
        ? connection.serve(options.answer)
        : connection.refuse(new ClusterError('overloaded', { message: 'Too many local clients are being answered; try again' }))
    connections.set(
      connection,
      conversation.finally(() => connections.delete(connection)),
    )
  }
  const isTaken = `Another wazuh-clusterd is already running for this home directory: it answers at ${socketPath}`
  const file = await listenAt(server, socketPath, isTaken)
  server.on('error', (error) => log.warning(`The local socket failed: ${error.message}`))
  log.debug(`Answering cluster_control at ${socketPath}`)

  const close = async (): Promise<void> => {
    server.close()
    for (const connection of connections.keys()) connection.stop()
    await within(Promise.all(connections.values()), stopMsMax)
    await file.remove()
  }
  let closing: Promise<void> | undefined
  return {
    close: () => {
      closing ??= close()
      return closing
    },
  }
}
