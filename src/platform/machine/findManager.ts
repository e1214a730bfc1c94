/** Finds a real Wazuh manager in a home. */
import { statSync } from 'node:fs'
import { join } from 'node:path'

/** The path that shows it: its control program, or the socket of its database. */
export const findManager = (home: string): string | undefined => {
  const program = join(home, 'bin/wazuh-control')
  if (look(program)?.isFile()) return program
  const socket = join(home, 'queue/db/wdb')
  return look(socket)?.isSocket() ? socket : undefined
}

/** What cannot be looked at is as good as missing: a manager in whose directories we may not look is none that we run beside. */
const look = (path: string) => {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    return undefined
  }
}
