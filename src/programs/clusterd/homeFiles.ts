/** The files of a home that the daemon has to write: tried as the user that it runs as, before anything relies on them. */
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import { assertNotForeign, sidecars } from '../../platform/agents/agentTableFile.js'
import { agentTablePath } from '../../platform/agents/agentTablePath.js'
import { logPath, says } from './homeDirectories.js'
import { userName } from './workDirectories.js'

const { O_APPEND, O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDWR, O_WRONLY } = constants
const logMode = 0o640

/** Throws a ClusterError when the log cannot be written. Makes it where there is none. */
export const checkLog = (home: string): void => tryOpen(join(home, logPath), O_WRONLY | O_APPEND | O_CREAT)

/** Throws a ClusterError when a file of the agents' table is there and cannot be written, or is of another program. */
export const checkAgentTable = (home: string): void => {
  const path = join(home, agentTablePath)
  attempt(path, () => assertNotForeign(path))
  for (const suffix of ['', ...sidecars]) tryOpen(path + suffix, O_RDWR)
}

// Without waiting for the other end of a FIFO.
const tryOpen = (path: string, flags: number): void =>
  attempt(path, () => closeSync(openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, logMode)))

const attempt = (path: string, act: () => unknown): void => {
  try {
    act()
  } catch (error) {
    if (error instanceof ClusterError) throw error
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return
    throw new ClusterError('fileFailed', { message: `${path} cannot be written: ${remedy(path, code) ?? says(error)}`, cause: error })
  }
}

const remedy = (path: string, code: unknown): string | undefined => {
  if (code === 'EACCES' || code === 'EPERM')
    return `the daemon runs as '${userName()}', which may not write it: chown ${userName()} ${path}`
  if (code === 'ELOOP') return 'it is a link; put the file itself in its place'
  return code === 'EISDIR' ? 'it is a directory; move it out of the way' : undefined
}
