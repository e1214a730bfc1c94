/** Finds out what is at the path of a unix socket. */
import { lstat } from 'node:fs/promises'
import { connect } from 'node:net'
import { ClusterError } from '../base/errors.js'

/** `stale` is a socket file that nobody listens on, `foreign` anything that is no socket. */
export type Found = 'nothing' | 'stale' | 'live' | 'foreign'

/** `EAGAIN`: somebody listens, with a full queue of clients. */
const meanings: Readonly<Record<string, Found>> = { ENOENT: 'nothing', ECONNREFUSED: 'stale', EAGAIN: 'live' }

/** Fails with `listenFailed` when that cannot be found out. */
export const probeSocket = async (path: string): Promise<Found> => {
  const unknown = (error: NodeJS.ErrnoException): ClusterError =>
    new ClusterError('listenFailed', { message: `The local socket could not be checked: ${error.message}`, cause: error })
  const file = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw unknown(error)
  })
  if (!file) return 'nothing'
  if (!file.isSocket()) return 'foreign'
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.destroy()
      resolve('live')
    })
    socket.once('error', (error: NodeJS.ErrnoException) => {
      const meaning = meanings[error.code ?? '']
      if (meaning) resolve(meaning)
      else reject(unknown(error))
    })
  })
}
