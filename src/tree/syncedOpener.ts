/**
 * Opens files of the synced tree for reading, never through a symlink that leads out of their item; on a worker not through
 * one in the place of the file at all.
 */
import { checkPath } from '../domain/paths.js'
import type { SyncedItem } from '../domain/syncedItems.js'
import { ClusterError } from '../errors.js'
import type { Disk } from '../ports.js'
import { errnoOf } from './diskFailure.js'
import type { TreeOptions } from './fileLook.js'
import { isBelow, nameOf, parentOf } from './relativePath.js'

export class SyncedOpener {
  readonly #disk: Disk
  readonly #options: TreeOptions
  /** Directories that are proven to be within their item. */
  readonly #proven = new Map<string, string>()

  /** To be used for as long as one task takes: what it has proven may change afterwards. */
  constructor(disk: Disk, options: TreeOptions) {
    this.#disk = disk
    this.#options = options
  }

  open(path: string): number {
    const checked = checkPath(this.#options.synced, path)
    if (!checked.ok) throw checked.error
    const directory = this.#provenDirectory(parentOf(path), checked.value)
    const absolute = `${directory}/${nameOf(path)}`
    try {
      return this.#disk.open(absolute, 'r')
    } catch (thrown) {
      if (errnoOf(thrown) !== 'ELOOP' || this.#options.role === 'worker') throw thrown
      const target = this.#disk.realpath(absolute)
      this.#assertWithin(target, checked.value, path)
      return this.#disk.open(target, 'r')
    }
  }

  /** The directory without any symlink in it, if it is within the item. */
  #provenDirectory(directory: string, item: SyncedItem): string {
    const known = this.#proven.get(directory)
    if (known !== undefined) return known
    const real = this.#disk.realpath(`${this.#options.home}/${directory}`)
    if (directory !== item.dir) this.#assertWithin(real, item, directory)
    this.#proven.set(directory, real)
    return real
  }

  #assertWithin(real: string, item: SyncedItem, path: string): void {
    const root = this.#disk.realpath(`${this.#options.home}/${item.dir}`)
    if (!isBelow(real, root)) throw new ClusterError('pathRefused', { message: `'${path}' leads out of '${item.dir}'.` })
  }
}
