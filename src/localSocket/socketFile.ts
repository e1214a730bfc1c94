/** The file of a local socket: made, replaced and removed in one way, whatever is spoken there. */
import { constants } from 'node:fs'
import { chmod, chown, lstat, open, rename, rm, stat } from 'node:fs/promises'
import type { Server } from 'node:net'
import { basename, dirname, join } from 'node:path'
import { asClusterError, ClusterError } from '../base/errors.js'
import { socketPathBytesMax } from './controlSocketPath.js'
import { probeSocket } from './probeSocket.js'

export interface SocketFile {
  /** Leaves the socket of a daemon alone that took the path over. */
  remove(): Promise<void>
}

const socketMode = 0o660

/** Fails with `alreadyRunning` and the sentence when somebody answers there, with `listenFailed` when the socket cannot be made. */
export const listenAt = async (server: Server, socketPath: string, isTaken: string): Promise<SocketFile> => {
  await refuseTakenPath(socketPath, isTaken)
  const inode = await listen(server, socketPath)
  return {
    remove: async () => {
      const found = await lstat(socketPath).catch(() => undefined)
      if (found?.ino === inode) await rm(socketPath, { force: true })
    },
  }
}

const refuseTakenPath = async (socketPath: string, isTaken: string): Promise<void> => {
  if (Buffer.byteLength(socketPath) > socketPathBytesMax)
    throw new ClusterError('listenFailed', {
      message: `The path of the local socket is longer than the ${socketPathBytesMax} bytes that the system allows: ${socketPath}`,
    })
  const found = await probeSocket(socketPath)
  if (found === 'live') throw new ClusterError('alreadyRunning', { message: isTaken })
  if (found === 'foreign')
    throw new ClusterError('listenFailed', { message: `The local socket cannot be made: ${socketPath} exists and is not a socket` })
}

/**
 * Listens under a passing name and renames it into place: a stale socket is replaced in one step, and there is no moment in
 * which the socket has its name but not its mode. Returns the inode of the socket.
 */
const listen = async (server: Server, socketPath: string): Promise<number> => {
  // No longer than the real name, so that it fits where that one fits.
  const passing = join(dirname(socketPath), `${basename(socketPath).charAt(0)}${process.pid}.n`)
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
    if (process.geteuid?.() === 0) await giveToOwnerOfDirectory(passing)
    const { ino } = await lstat(passing)
    await rename(passing, socketPath)
    return ino
  } catch (error) {
    server.close()
    throw new ClusterError('listenFailed', { message: `The local socket cannot be made: ${asClusterError(error).message}`, cause: error })
  }
}

/** Of Linux: only names a file, which need not be opened to be given away. */
const pathOnly = 0o10_000_000

/** A daemon that stays root beside a manager is asked by the manager's user. Not by the name, which may lead elsewhere by now. */
const giveToOwnerOfDirectory = async (socketPath: string): Promise<void> => {
  const { gid, uid } = await stat(dirname(socketPath))
  const file = await open(socketPath, pathOnly | constants.O_NOFOLLOW)
  try {
    if ((await file.stat()).isSocket()) await chown(`/proc/self/fd/${file.fd}`, uid, gid)
  } finally {
    await file.close()
  }
}

/** Resolves when it is done, or after this time. */
export const within = async (done: Promise<unknown>, ms: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  await Promise.race([
    done,
    new Promise((resolve) => {
      timer = setTimeout(resolve, ms)
    }),
  ])
  clearTimeout(timer)
}
