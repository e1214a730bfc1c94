/** The counters of agents' messages, `queue/rids/ID`: those of agents that are gone are deleted. */

import { ClusterError } from '../../base/errors.js'
import { agentIdText } from '../../domain/agents/agent.js'
import type { Disk } from '../../ports/files.js'
import { diskError, errnoOf, isGone } from '../files/diskFailure.js'
import { isBelow } from '../files/relativePath.js'
import { lstatIfThere, syncDirectory } from './makeDirectory.js'
import { removeFile } from './replaceFile.js'

export const countersPath = 'queue/rids'

/** Tries all of them, then fails as the first that could not be deleted did. */
export const forgetCounters = (disk: Disk, home: string, ids: readonly number[]): void => {
  const directory = directoryWithin(disk, home)
  if (directory === undefined) return
  let failure: ClusterError | undefined
  let isChanged = false
  for (const id of ids) {
    const name = agentIdText(id)
    try {
      if (lstatIfThere(disk, `${directory}/${name}`)?.kind === 'file') isChanged = removeFile(disk, `${directory}/${name}`) || isChanged
    } catch (thrown) {
      failure ??= diskError(`${countersPath}/${name}`, thrown, 'deleted')
    }
  }
  if (failure) throw failure
  if (isChanged) makeDurable(disk, directory)
}

/** Where the counters are; nothing when there are none. */
const directoryWithin = (disk: Disk, home: string): string | undefined => {
  try {
    const directory = `${home}/${countersPath}`
    if (isBelow(disk.realpath(directory), disk.realpath(home))) return directory
  } catch (thrown) {
    if (isGone(errnoOf(thrown))) return undefined
    throw diskError(countersPath, thrown, 'read')
  }
  throw new ClusterError('pathRefused', { message: `'${countersPath}' leads out of the home, so nothing is deleted in it.` })
}

const makeDurable = (disk: Disk, directory: string): void => {
  try {
    syncDirectory(disk, directory)
  } catch (thrown) {
    throw diskError(countersPath, thrown, 'made durable')
  }
}
