/** The directories that the daemon works in: whether its user may write there, and who else may. */
import { accessSync, constants, type Stats, statSync } from 'node:fs'
import { userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { ClusterError } from '../../base/errors.js'
import type { NodeSettings } from '../../config/settings.js'
import { keysPath } from '../../domain/agents/keyEntry.js'
import { findManager } from '../../platform/machine/findManager.js'
import { type DaemonDuties, says, writtenDirectories } from './homeDirectories.js'

export const hasManager = ({ home, manager }: NodeSettings): boolean =>
  manager === 'wazuh' || (manager === 'auto' && findManager(home) !== undefined)

/** Relative to the home: a worker writes all that is synced, a master without a real manager client.keys. */
const synced = (settings: NodeSettings): string[] => {
  if (settings.nodeType === 'worker') return settings.synced.items.map(({ dir }) => dir)
  return hasManager(settings) ? [] : [dirname(keysPath)]
}

/** @param settings nothing for a process that only writes its log */
export const dutiesOf = (settings: NodeSettings | undefined): DaemonDuties => ({
  hasListener: settings?.listener !== undefined && !hasManager(settings),
})

/** The directory, or the one that it is to be made in. */
const present = (path: string): string => {
  try {
    return statSync(path, { throwIfNoEntry: false }) ? path : present(dirname(path))
  } catch {
    return path
  }
}

const assertWritable = (path: string): void => accessSync(path, constants.W_OK | constants.X_OK)

/**
 * Throws a ClusterError when the user that this process is now cannot write where the daemon must.
 * @param settings nothing for a process that only writes its log
 */
export const checkWorkDirectories = (home: string, settings?: NodeSettings, assertMayWrite = assertWritable): void => {
  const refused = new Set<string>()
  for (const directory of [...writtenDirectories(dutiesOf(settings)), ...(settings ? synced(settings) : [])]) {
    const path = present(join(home, directory))
    try {
      assertMayWrite(path)
    } catch (error) {
      if (!isDenied(error))
        throw new ClusterError('fileFailed', { message: `The directory ${path} cannot be written to: ${says(error)}`, cause: error })
      refused.add(path)
    }
  }
  if (refused.size === 0) return
  const user = userName()
  const paths = [...refused]
  throw new ClusterError('fileFailed', {
    message: `The daemon runs as '${user}', which may not write to ${paths.join(', ')}: chown ${user} ${paths.join(' ')}`,
  })
}

const isDenied = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM')

/** The number of a user that the system has no name for. */
export const userName = (): string => {
  try {
    return userInfo().username
  } catch {
    return String(process.geteuid?.())
  }
}

const check = (path: string): Pick<Stats, 'uid' | 'gid' | 'mode'> | undefined => statSync(path, { throwIfNoEntry: false })

/** For a daemon that stays root: a sentence when others can write where it reads and writes. */
export const sharedWithOthers = (home: string, { synced: { items } }: NodeSettings, statOf = check): string | undefined => {
  const shared = items.flatMap(({ dir }) => {
    const stat = statOf(join(home, dir))
    const isShared = stat && (stat.uid !== 0 || (stat.mode & 0o002) !== 0 || (stat.gid !== 0 && (stat.mode & 0o020) !== 0))
    return isShared ? [join(home, dir)] : []
  })
  return shared.length === 0
    ? undefined
    : `The daemon stays root (-r), but users other than root can write to ${shared.join(', ')} and so control what root reads and writes there; start it without -r, or chown -R root and chmod -R go-w them.`
}
