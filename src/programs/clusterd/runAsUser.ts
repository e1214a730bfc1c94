/** Which user the daemon runs as: root becomes `wazuh` unless -r is given, anyone else stays who they are. */
import { ok, type Result, refuse } from '../../base/errors.js'
import { managerUser, type User, userNamed } from '../../platform/machine/userNamed.js'

/** The user to become, or undefined to stay. `passwd` is the text of /etc/passwd. */
export const pickUser = (given: {
  readonly uid: number
  readonly stayRoot: boolean
  readonly passwd: string
}): Result<User | undefined> => {
  if (given.uid !== 0 || given.stayRoot) return ok(undefined)
  const user = userNamed(given.passwd, managerUser)
  if (user) return ok(user)
  return refuse('internal', { message: `The user "${managerUser}" does not exist: create it, or run as root with -r` })
}

/** Gives up root for good. Without effect for other users. */
export const becomeUser = (user: User): void => {
  process.setgroups?.([user.gid])
  process.setgid?.(user.gid)
  process.setuid?.(user.uid)
}
