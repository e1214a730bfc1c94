/** The directories of a home that the daemon writes to: made when they are missing, for the user that it runs as. */
import { closeSync, constants, fchmodSync, fchownSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import type { User } from '../../platform/machine/userNamed.js'

/** With their modes. */
const directories = { logs: 0o770, 'var/run': 0o770, 'queue/cluster': 0o770, 'queue/muster': 0o750 } as const

/** Of a listener of agents: their events and the counters of their messages. */
const ofListener = { 'queue/events': 0o750, 'queue/rids': 0o770 } as const

/** What the daemon does in this home. */
export interface DaemonDuties {
  readonly hasListener: boolean
}

const modesOf = ({ hasListener }: DaemonDuties) => Object.entries({ ...directories, ...(hasListener && ofListener) })

/** Relative to the home. */
export const writtenDirectories = (duties: DaemonDuties): readonly string[] => modesOf(duties).map(([directory]) => directory)

/** Where the log is, below the home. */
export const logPath = 'logs/cluster.log'

const isCode = (error: unknown, code: string): boolean => error instanceof Error && 'code' in error && error.code === code

const makeOne = (path: string, mode: number, user: User | undefined): void => {
  try {
    mkdirSync(path)
  } catch (error) {
    if (isCode(error, 'EEXIST')) return
    throw error
  }
  // Not by its name, which may lead elsewhere by now.
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    // The umask has no say in it.
    fchmodSync(directory, mode)
    if (user) fchownSync(directory, user.uid, user.gid)
  } finally {
    closeSync(directory)
  }
}

/** Throws a ClusterError that names the directory. To be called before root is given up. */
export const prepareDirectories = (home: string, user: User | undefined, duties: DaemonDuties): void => {
  for (const [directory, mode] of modesOf(duties)) {
    let path = home
    try {
      for (const name of directory.split('/')) {
        path = join(path, name)
        makeOne(path, mode, user)
      }
    } catch (error) {
      throw new ClusterError('fileFailed', { message: `The directory ${path} cannot be created: ${says(error)}`, cause: error })
    }
  }
}

/** The reason that the system gives. */
export const says = (error: unknown): string => (error instanceof Error ? error.message : String(error))
