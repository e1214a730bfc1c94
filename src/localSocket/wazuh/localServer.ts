/** The local socket of a real manager's programs: Wazuh's protocol, spoken as its own wazuh-clusterd does. */
import { createServer, type Socket } from 'node:net'
import type { Log } from '../../ports/machine.js'
import { listenAt, within } from '../socketFile.js'
import { LocalConnection, type LocalLimits } from './localConnection.js'
import type { LocalNode } from './localNode.js'

export interface LocalServerOptions {
  readonly socketPath: string
  readonly node: LocalNode
  readonly log: Log
  readonly limits: LocalLimits
}

export interface LocalServer {
  /** Ends every connection within a second and removes the socket file. */
  close(): Promise<void>
}

const stopMsMax = 1_000

/** Fails with `alreadyRunning` when a daemon answers there, Wazuh's own for example, with `listenFailed` when the socket cannot be made. */
export const startLocalServer = async ({ socketPath, node, log: parentLog, limits }: LocalServerOptions): Promise<LocalServer> => {
  const log = parentLog.at({ tag: 'Local Server', subtag: 'Main' })
  /** In order of their arrival. */
  const connections = new Set<LocalConnection>()
  let held = 0
  const onHeld = (change: number): void => {
    held += change
    if (change > 0 && held > limits.localHeldBytesMax)
      largest(connections)?.cut('its requests and answers are the largest, and all are too large')
  }
  const admit = (socket: Socket): void => {
    const isFull = connections.size >= limits.localConnectionsMax
    const idle = isFull ? idlest(connections) : undefined
    idle?.cut('others need its place')
    if (idle) connections.delete(idle)
    // Beyond the cap a client gets an error; beyond twice the cap there is no time even for that.
    if (connections.size >= 2 * limits.localConnectionsMax) {
      socket.destroy()
      return
    }
    const connection = new LocalConnection(socket, {
      ...{ node, log, limits, onHeld },
      isRefused: isFull && !idle,
      onClose: () => connections.delete(connection),
    })
    connections.add(connection)
  }
  const server = createServer((socket) => admit(socket))
  const isTaken = `Another wazuh-clusterd answers at ${socketPath}: stop it first, Wazuh's own with bin/wazuh-control stop`
  const file = await listenAt(server, socketPath, isTaken)
  server.on('error', (error) => log.warning(`The local socket of Wazuh's programs failed: ${error.message}`))
  log.debug(`Answering Wazuh's programs at ${socketPath}`)
  const timer = setInterval(() => {
    const nowMs = performance.now()
    for (const connection of [...connections]) connection.check(nowMs)
  }, limits.localCheckMs)

  const close = async (): Promise<void> => {
    clearInterval(timer)
    server.close()
    await within(Promise.all([...connections].map((connection) => connection.stop())), stopMsMax)
    for (const connection of connections) connection.cut('the daemon stops')
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

const largest = (connections: Iterable<LocalConnection>): LocalConnection | undefined => {
  let found: LocalConnection | undefined
  for (const connection of connections) if (!found || connection.held > found.held) found = connection
  return found
}

const idlest = (connections: Iterable<LocalConnection>): LocalConnection | undefined => {
  let found: LocalConnection | undefined
  for (const connection of connections) {
    const { idleSinceMs } = connection
    if (idleSinceMs !== undefined && idleSinceMs < (found?.idleSinceMs ?? Number.POSITIVE_INFINITY)) found = connection
  }
  return found
}
