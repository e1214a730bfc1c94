/** Users of the system by their names. */
import { readFileSync } from 'node:fs'

export interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** The user that Wazuh's daemons run as. */
export const managerUser = 'wazuh'

/** @param passwd the text of /etc/passwd */
export const userNamed = (passwd: string, name: string): User | undefined => {
  for (const line of passwd.split('\n')) {
    const [found, , uid = '', gid = ''] = line.split(':')
    if (found === name && /^\d+$/.test(uid) && /^\d+$/.test(gid)) return { name, uid: Number(uid), gid: Number(gid) }
  }
  return undefined
}

/** The user who has to own what a process makes beside a real manager: a process of root is another user than the manager's daemons, which have to read it. */
export const ownerBesideManager = (): User | undefined => {
  if (process.geteuid?.() !== 0) return undefined
  try {
    return userNamed(readFileSync('/etc/passwd', 'utf8'), managerUser)
  } catch {
    return undefined
  }
}
