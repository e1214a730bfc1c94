/** Which user the daemon runs as: root becomes `wazuh` unless -r is given, anyone else stays who they are. */
import { ok, type Result, refuse } from '../../base/errors.js'

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const daemonUserName = 'wazuh'

const userIn = (passwd: string, name: string): User | undefined => {
  for (const line of passwd.split('\n')) {
    const [found, , uid = '', gid = ''] = line.split(':')
    if (found === name && /^\d+$/.test(uid) && /^\d+$/.test(gid)) return { name, uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

/** The user to become, or undefined to stay. `passwd` is the text of /etc/passwd. */
export const pickUser = (given: {
  readonly uid: number
  readonly stayRoot: boolean
  readonly passwd: string
}): Result<User | undefined> => {
  if (given.uid !== 0 || given.stayRoot) return ok(undefined)
  const user = userIn(given.passwd, daemonUserName)
  if (user) return ok(user)
  return refuse('internal', { message: `The user "${daemonUserName}" does not exist: create it, or run as root with -r` })
}

/** Gives up root for good. Without effect for other users. */
export const becomeUser = (user: User): void => {
  process.setgroups?.([user.gid])
  process.setgid?.(user.gid)
  process.setuid?.(user.uid)
}
