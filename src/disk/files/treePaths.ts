/**
 * Ways through the tree that never lead through a symlink below an item's directory: to make the directories that a file
 * needs, and to get to a file that is to be deleted.
 */

import { ClusterError } from '../../base/errors.js'
import { isExcluded, type SyncedItem } from '../../domain/files/syncedItems.js'
import type { Disk, DiskStat } from '../../ports/files.js'
import { errnoOf, isGone } from './diskFailure.js'
import type { TreeOptions } from './fileCheck.js'
import { decodeName, nameOf, parentOf } from './relativePath.js'

const directoryMode = 0o770

export class TreePaths {
  readonly #disk: Disk
  readonly #options: TreeOptions
  readonly #itemDirs: ReadonlySet<string>
  /** Directories that this plan has already been through. */
  readonly #proven = new Set<string>()
  /** Called with each directory whose entries change. */
  readonly #onChanged: (directory: string) => void

  constructor(disk: Disk, options: TreeOptions, onChanged: (directory: string) => void) {
    this.#disk = disk
    this.#options = options
    this.#onChanged = onChanged
    this.#itemDirs = new Set(options.synced.items.map((item) => item.dir))
  }

  absolute(path: string): string {
    return path === '' ? this.#options.home : `${this.#options.home}/${path}`
  }

  kindAt(path: string): DiskStat['kind'] | undefined {
    try {
      return this.#disk.lstat(this.absolute(path)).kind
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return undefined
      throw thrown
    }
  }

  /** Makes sure that the directory is there and really is one; anything else in the way is deleted. */
  makeDirectory(directory: string, item: SyncedItem): void {
    if (this.#proven.has(directory)) return
    if (directory === item.dir) this.#makeItemDirectory(directory)
    else {
      this.makeDirectory(parentOf(directory), item)
      const kind = this.kindAt(directory)
      if (kind !== 'directory') this.#replaceByDirectory(directory, kind)
    }
    this.#proven.add(directory)
  }

  /** Whether the directory is there, with no symlink on the way to it. */
  leadsTo(directory: string, item: SyncedItem): boolean {
    if (this.#proven.has(directory)) return true
    const isThere =
      directory === item.dir
        ? this.#isItemDirectory(directory)
        : this.leadsTo(parentOf(directory), item) && this.kindAt(directory) === 'directory'
    if (isThere) this.#proven.add(directory)
    return isThere
  }

  /** Deletes the directory if nothing is in it; never an item's own. Says whether it is gone. */
  removeIfEmpty(directory: string): boolean {
    if (this.#itemDirs.has(directory)) return false
    try {
      this.#disk.rmdir(this.absolute(directory))
    } catch (thrown) {
      const errno = errnoOf(thrown)
      if (errno === 'ENOENT') return true
      if (errno === 'ENOTEMPTY' || errno === 'EEXIST' || errno === 'ENOTDIR') return false
      throw thrown
    }
    this.#proven.delete(directory)
    this.#onChanged(parentOf(directory))
    return true
  }

  /** Deletes the directory if there is no file anywhere below it. Says whether it is gone. */
  removeIfHollow(directory: string): boolean {
    if (!this.#isHollow(directory)) return false
    this.#removeHollow(directory)
    return this.removeIfEmpty(directory)
  }

  #isHollow(directory: string): boolean {
    return this.#disk.readdir(this.absolute(directory)).every((entry) => {
      const name = decodeName(entry.name)
      return name !== undefined && entry.kind === 'directory' && this.#isHollow(`${directory}/${name}`)
    })
  }

  #removeHollow(directory: string): void {
    for (const entry of this.#disk.readdir(this.absolute(directory))) {
      const below = `${directory}/${decodeName(entry.name)}`
      this.#removeHollow(below)
      this.removeIfEmpty(below)
    }
  }

  #makeItemDirectory(directory: string): void {
    if (this.#isItemDirectory(directory)) return
    const parent = parentOf(directory)
    if (parent !== '') this.#makeItemDirectory(parent)
    this.#disk.mkdir(this.absolute(directory), directoryMode)
    this.#onChanged(parent)
  }

  /** An item's own directory may be a symlink: that is the operator's choice. */
  #isItemDirectory(directory: string): boolean {
    try {
      return this.#disk.stat(this.absolute(directory)).kind === 'directory'
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return false
      throw thrown
    }
  }

  #replaceByDirectory(directory: string, kind: DiskStat['kind'] | undefined): void {
    if (kind !== undefined) {
      if (isExcluded(this.#options.synced, nameOf(directory)))
        throw new ClusterError('fileFailed', {
          message: `'${directory}' is in the way, and its name is excluded from the synchronization.`,
        })
      this.#disk.unlink(this.absolute(directory))
    }
    this.#disk.mkdir(this.absolute(directory), directoryMode)
    this.#onChanged(parentOf(directory))
  }
}
