/** Whether a user may use a file: from the modes of it and of the directories that lead to it, as the kernel would decide. */
import { dirname } from 'node:path'
import type { User } from '../../platform/machine/userNamed.js'
import type { ManagerMachine } from './managerMachine.js'

const readAndUse = 0o5
const use = 0o1

/** The first path on the way that the user may not read (the file) or go through (a directory); undefined when there is none. */
export const unreachable = ({ fs }: ManagerMachine, path: string, user: User, wanted = readAndUse): string | undefined => {
  const parent = dirname(path)
  const before = parent === path ? undefined : unreachable({ fs } as ManagerMachine, parent, user, use)
  if (before !== undefined) return before
  const stat = fs.statSync(path, { throwIfNoEntry: false })
  if (!stat) return path
  const shift = stat.uid === user.uid ? 6 : stat.gid === user.gid ? 3 : 0
  return ((stat.mode >> shift) & wanted) === wanted ? undefined : path
}
