/** Where a symlink of the master leads, when that is within its item. */
import type { Disk } from '../../ports/files.js'
import { isBelow } from './relativePath.js'

/**
 * The path without any symlink below `dir` in it, beginning with `dir`; undefined when it leads elsewhere. Both are absolute.
 * A hint only: whether it still is so shows on the way there (see heldDisk.ts).
 */
export const targetWithin = (disk: Disk, dir: string, path: string): string | undefined => {
  const target = disk.realpath(path)
  const top = disk.realpath(dir)
  return isBelow(target, top) ? dir + target.slice(top.length) : undefined
}
