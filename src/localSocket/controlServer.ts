/** The local socket of the daemon, over which cluster_control asks its questions. */
import { chmod, lstat, rename, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname, join } from 'node:path'
import { asClusterError, ClusterError } from '../base/errors.js'
import type { Log } from '../ports/machine.js'
import { type Answer, ControlConnection, type ControlLimits } from './controlConnection.js'
import { socketPathBytesMax } from './controlSocketPath.js'
import { probeSocket } from './probeSocket.js'

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

const socketMode = 0o660
const stopMsMax = 1_000

/** Fails with `alreadyRunning` when a daemon answers there, with `listenFailed` when the socket cannot be made. */
export const startControlServer = async (options: ControlServerOptions): Promise<ControlServer> => {
  const { socketPath, limits } = options
  const log = options.log.at({ tag: 'Local Server', subtag: 'Main' })
  await refuseTakenPath(socketPath)
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
  const inode = await listen(server, socketPath)
  server.on('error', (error) => log.warning(`The local socket failed: ${error.message}`))
  log.debug(`Answering cluster_control at ${socketPath}`)

  const close = async (): Promise<void> => {
    server.close()
    for (const connection of connections.keys()) connection.stop()
    await within(Promise.all(connections.values()), stopMsMax)
    await removeOwn(socketPath, inode)
  }
  let closing: Promise<void> | undefined
  return {
    close: () => {
      closing ??= close()
      return closing
    },
  }
}

const refuseTakenPath = async (socketPath: string): Promise<void> => {
  if (Buffer.byteLength(socketPath) > socketPathBytesMax)
    throw new ClusterError('listenFailed', {
      message: `The path of the local socket is longer than the ${socketPathBytesMax} bytes that the system allows: ${socketPath}`,
    })
  const found = await probeSocket(socketPath)
  if (found === 'live')
    throw new ClusterError('alreadyRunning', {
      message: `Another wazuh-clusterd is already running for this home directory: it answers at ${socketPath}`,
    })
  if (found === 'foreign')
    throw new ClusterError('listenFailed', { message: `The local socket cannot be made: ${socketPath} exists and is not a socket` })
}

/**
 * Listens under a passing name and renames it into place: a stale socket is replaced in one step, and there is no moment in
 * which the socket has its name but not its mode. Returns the inode of the socket.
 */
const listen = async (server: Server, socketPath: string): Promise<number> => {
  // No longer than the real name, so that it fits where that one fits.
  const passing = join(dirname(socketPath), `c-${process.pid}.new`)
  try {
    await rm(passing, { force: true })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(passing, () => {
        server.off('error', reject)
        resolve()
      })
    })
    await chmod(passing, socketMode)
    const { ino } = await lstat(passing)
    await rename(passing, socketPath)
    return ino
  } catch (error) {
    server.close()
    throw new ClusterError('listenFailed', { message: `The local socket cannot be made: ${asClusterError(error).message}`, cause: error })
  }
}

/** Leaves the socket of a daemon alone that took the path over. */
const removeOwn = async (socketPath: string, inode: number): Promise<void> => {
  const found = await lstat(socketPath).catch(() => undefined)
  if (found?.ino === inode) await rm(socketPath, { force: true })
}

const within = async (done: Promise<unknown>, ms: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    done,
    new Promise((resolve) => {
      timer = setTimeout(resolve, ms)
    }),
  ])
  clearTimeout(timer)
}
