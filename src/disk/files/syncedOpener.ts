/**
 * Opens files of the synced tree for reading: through no symlink on the way, and through one in the place of the file only on
 * a master, when it stays within its item.
 */

import { ClusterError } from '../../base/errors.js'
import { checkPath } from '../../domain/files/paths.js'
import type { SyncedItem } from '../../domain/files/syncedItems.js'
import type { Disk } from '../../ports/files.js'
import { errnoOf } from './diskFailure.js'
import type { TreeOptions } from './fileCheck.js'
import { parentOf } from './relativePath.js'
import { targetWithin } from './targetWithin.js'

export class SyncedOpener {
  readonly #disk: Disk
  readonly #options: TreeOptions

  constructor(disk: Disk, options: TreeOptions) {
    this.#disk = disk
    this.#options = options
  }

  open(path: string): number {
    const checked = checkPath(this.#options.synced, path)
    if (!checked.ok) throw checked.error
    const item = checked.value
    try {
      return this.#disk.open(this.#absolute(path), 'r')
    } catch (thrown) {
      const errno = errnoOf(thrown)
      if (errno === 'ENOTDIR' && this.#isThroughLink(parentOf(path), item)) throw leadsOut(path, item)
      if (errno !== 'ELOOP' || this.#options.role === 'worker') throw thrown
      const target = targetWithin(this.#disk, this.#absolute(item.dir), this.#absolute(path))
      if (target === undefined) throw leadsOut(path, item)
      return this.#disk.open(target, 'r')
    }
  }

  #isThroughLink(directory: string, item: SyncedItem): boolean {
    if (directory === item.dir) return false
    return this.#isThroughLink(parentOf(directory), item) || this.#disk.lstat(this.#absolute(directory)).kind === 'symlink'
  }

  #absolute(path: string): string {
    return `${this.#options.home}/${path}`
  }
}

const leadsOut = (path: string, { dir }: SyncedItem): ClusterError =>
  new ClusterError('pathRefused', { message: `'${path}' leads out of '${dir}'.` })
