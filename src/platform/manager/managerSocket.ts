/** The sockets of a real manager, as files: what is not one, or belongs to somebody else, is not connected to. */
import { lstatSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { connectionFailed, type DaemonName, daemonFailed } from './managerFailure.js'

const lstatIfThere = (path: string) => lstatSync(path, { throwIfNoEntry: false })

/** Whether something has its name. */
export const isThere = (home: string, path: string): boolean => {
  try {
    return lstatIfThere(join(home, path)) !== undefined
  } catch {
    return false
  }
}

/**
 * The absolute path of a daemon's socket. Fails with `managerFailed` unless it is a socket of this process' user, of root, or of the user
 * whose directory it is in: any other could be listened at by anybody.
 */
export const managerSocket = (home: string, name: DaemonName): string => {
  const path = join(home, name.path)
  try {
    const stat = lstatIfThere(path)
    if (!stat) throw Object.assign(new Error('missing'), { code: 'ENOENT' })
    if (!stat.isSocket())
      throw daemonFailed(name, `cannot be asked: ${stat.isSymbolicLink() ? 'a link' : 'something that is not a socket'} has its name`)
    const owners = [0, process.geteuid?.(), statSync(dirname(path)).uid]
    if (!owners.includes(stat.uid)) throw daemonFailed(name, `cannot be asked: its socket belongs to user ${stat.uid}`)
    return path
  } catch (thrown) {
    throw thrown instanceof ClusterError ? thrown : connectionFailed(name, thrown)
  }
}
