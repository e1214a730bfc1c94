/** Reads what goes into a merged.mg, and compares the result with the file that is there. */
import type { MergedLayout } from '../../domain/agents/mergedFile.js'
import type { Disk } from '../../ports/files.js'
import { diskError, errnoOf, isGone } from '../files/diskFailure.js'
import { isUntouched } from '../files/fileHash.js'
import type { GroupSource } from './groupCheck.js'

/** Fills in all content. Returns the first file that is no longer what the check saw, or that changed meanwhile. */
export const fillMerged = (disk: Disk, { places }: MergedLayout<GroupSource>): GroupSource | undefined =>
  places.find(({ into, source }) => {
    try {
      return !readInto(disk, source, into)
    } catch (thrown) {
      const errno = errnoOf(thrown)
      if (isGone(errno) || errno === 'ELOOP') return true
      throw diskError(source.path, thrown, 'read')
    }
  })?.source

const readInto = (disk: Disk, { stat, target }: GroupSource, into: Uint8Array): boolean => {
  const file = disk.open(target, 'r')
  try {
    for (let done = 0; done < into.length; ) {
      const count = disk.read(file, into, done, into.length - done, done)
      if (count === 0) return false
      done += count
    }
    return isUntouched(stat, disk.fstat(file))
  } finally {
    disk.close(file)
  }
}

/** @param buffer to read through */
export const hasContent = (disk: Disk, path: string, content: Uint8Array, buffer: Uint8Array): boolean => {
  try {
    const file = disk.open(path, 'r')
    try {
      if (disk.fstat(file).size !== content.length) return false
      for (let done = 0; done < content.length; ) {
        const count = disk.read(file, buffer, 0, Math.min(buffer.length, content.length - done), done)
        if (count === 0 || Buffer.compare(buffer.subarray(0, count), content.subarray(done, done + count)) !== 0) return false
        done += count
      }
      return true
    } finally {
      disk.close(file)
    }
  } catch (thrown) {
    // What cannot be read is replaced.
    if (errnoOf(thrown) === undefined) throw thrown
    return false
  }
}
