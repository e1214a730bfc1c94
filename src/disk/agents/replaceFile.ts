/** Puts a whole file in place of another, so that a crash at any instruction leaves the old one or the new one. */
import { createHash } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import type { Disk } from '../../ports/files.js'
import { writeAll } from '../files/content/stageArea.js'
import { errnoOf, isGone } from '../files/diskFailure.js'
import { temporaryName } from '../files/relativePath.js'

/** What the file is called until it is whole: a name that is never synced, and always the same, so that a leftover can be found. */
const temporaryPath = (path: string): string => {
  const slash = path.lastIndexOf('/')
  return `${path.slice(0, slash)}/${temporaryName(
    createHash('sha256')
      .update(path.slice(slash + 1))
      .digest('hex'),
  )}`
}

/** Deletes what is not a directory; says whether it was there. */
export const removeFile = (disk: Disk, path: string): boolean => {
  try {
    disk.unlink(path)
    return true
  } catch (thrown) {
    if (isGone(errnoOf(thrown))) return false
    throw thrown
  }
}

/** Deletes what a crash in the middle of `replaceFile` left behind. */
export const removeLeftover = (disk: Disk, path: string): void => {
  removeFile(disk, temporaryPath(path))
}

/**
 * @param parts the content, in order
 * @param ready called when all is written, with the open file that takes the other's place next; it may throw to leave that as it is
 */
export const replaceFile = (
  disk: Disk,
  path: string,
  parts: readonly Uint8Array[],
  mode: number,
  ready?: (temporary: number) => void,
): void => {
  const temporary = temporaryPath(path)
  removeFile(disk, temporary)
  const file = disk.open(temporary, 'wx', mode)
  try {
    try {
      let position = 0
      for (const part of parts) {
        writeAll(disk, file, part, position)
        position += part.length
      }
      // The umask may have taken bits away.
      disk.chmod(file, mode)
      disk.sync(file)
      ready?.(file)
    } finally {
      disk.close(file)
    }
    disk.rename(temporary, path)
  } catch (thrown) {
    if (errnoOf(thrown) !== undefined || thrown instanceof ClusterError) giveUp(disk, temporary)
    throw thrown
  }
}

/** What went wrong first is what counts; what stays here is deleted the next time. */
const giveUp = (disk: Disk, temporary: string): void => {
  try {
    removeFile(disk, temporary)
  } catch (thrown) {
    if (errnoOf(thrown) === undefined) throw thrown
  }
}
