/**
 * In which order a plan's files are written. The programs of a manager watch them: an agent of client.keys is to find its groups there, and
 * who reads client.keys again waits for the rename that brings it. So files of groups come first and client.keys last.
 */

const groupsDirectory = 'etc/shared/'
const keysFile = 'etc/client.keys'

const rankOf = (path: string): number => {
  if (path === keysFile) return 2
  return path.startsWith(groupsDirectory) ? 0 : 1
}

export const isWrittenLast = (path: string): boolean => path === keysFile

/** Compares paths of files, or of their directories. */
export const byWriteOrder = (a: string, b: string): number => rankOf(a) - rankOf(b) || (a < b ? -1 : 1)
