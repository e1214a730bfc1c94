/** Directories that agents' files need: made with those above them, and made durable. */
import type { Disk, DiskStat } from '../../ports/files.js'
import { errnoOf, isGone } from '../files/diskFailure.js'

export const directoryMode = 0o770

/** Makes a directory and those above it that are missing; one that is there stays as it is. */
export const makeDirectory = (disk: Disk, path: string): void => {
  try {
    disk.mkdir(path, directoryMode)
  } catch (thrown) {
    const errno = errnoOf(thrown)
    if (errno === 'EEXIST') return
    const parent = path.slice(0, path.lastIndexOf('/'))
    if (errno !== 'ENOENT' || parent === '') throw thrown
    makeDirectory(disk, parent)
    disk.mkdir(path, directoryMode)
  }
}

/** Makes the names in a directory durable. */
export const syncDirectory = (disk: Disk, path: string): void => {
  try {
    const file = disk.openDirectory(`${path}/.`)
    try {
      disk.sync(file)
    } finally {
      disk.close(file)
    }
  } catch (thrown) {
    // Some file systems keep directories in order by themselves, and say so.
    const errno = errnoOf(thrown)
    if (errno !== 'EINVAL' && errno !== 'ENOTSUP') throw thrown
  }
}

/** What is there, symlinks not followed; undefined when nothing is. */
export const lstatIfThere = (disk: Disk, path: string): DiskStat | undefined => {
  try {
    return disk.lstat(path)
  } catch (thrown) {
    if (isGone(errnoOf(thrown))) return undefined
    throw thrown
  }
}
