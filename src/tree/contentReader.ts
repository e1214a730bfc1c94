/**
 * Packs content of the synced tree into blocks to be sent: many small files, or the next part of a large one. Files are
 * opened anew for each block, so that any number of transfers costs nothing between their blocks.
 */
import { ContentBlockWriter, type PieceStatus } from '../domain/contentBlock.js'
import { checkPath } from '../domain/paths.js'
import type { SyncedItem } from '../domain/syncedItems.js'
import type { ContentRequest } from '../domain/tree.js'
import { asClusterError, ClusterError } from '../errors.js'
import type { Disk, DiskStat } from '../ports.js'
import { errnoOf, failureOf, isGone } from './diskFailure.js'
import { isUntouched } from './fileHash.js'
import type { TreeOptions } from './fileLook.js'
import { isBelow, nameOf, parentOf } from './relativePath.js'

export interface ReadContent {
  readonly block: Uint8Array
  readonly next: ContentRequest | undefined
}

/** Large files that are being sent, to notice one that changes on the way. */
const watchedFilesMax = 256

type Wanted = ContentRequest['files'][number]

export class ContentReader {
  readonly #disk: Disk
  readonly #options: TreeOptions
  readonly #sent = new Map<string, DiskStat>()

  constructor(disk: Disk, options: TreeOptions) {
    this.#disk = disk
    this.#options = options
  }

  /**
   * One block, from `request.from` on; what goes wrong with a file stands in the block.
   * @param firstFile how the first file of the request is numbered in the block, when it is a part of a larger one
   */
  read(request: ContentRequest, firstFile = 0): ReadContent {
    const block = new ContentBlockWriter()
    /** Directories that are proven to be within their item, for as long as one block takes. */
    const proven = new Map<string, string>()
    let { file, offset } = request.from
    for (let wanted = request.files[file]; wanted && block.room > 0; wanted = request.files[file]) {
      const { length, status } = this.#addPiece(block, firstFile + file, wanted, offset, proven)
      if (status === 'more') {
        offset += length
      } else {
        file += 1
        offset = request.files[file]?.offset ?? 0
      }
    }
    const next = file < request.files.length ? { ...request, from: { file, offset } } : undefined
    return { block: block.finish(request.compress), next }
  }

  #addPiece(
    block: ContentBlockWriter,
    file: number,
    wanted: Wanted,
    offset: number,
    proven: Map<string, string>,
  ): { length: number; status: PieceStatus } {
    try {
      const piece = this.#fill(block.free, wanted, offset, proven)
      block.add({ file, offset, status: piece.status }, piece.length)
      return piece
    } catch (thrown) {
      const status = isGone(errnoOf(thrown)) ? 'gone' : 'failed'
      const failure = asClusterErrorOf(wanted.path, thrown)
      block.add({ file, offset, status, failure }, 0)
      return { length: 0, status }
    }
  }

  #fill(free: Uint8Array, wanted: Wanted, offset: number, proven: Map<string, string>): { length: number; status: PieceStatus } {
    const file = this.#open(wanted.path, proven)
    try {
      const stat = this.#disk.fstat(file)
      if (stat.kind !== 'file' || offset > stat.size) return { length: 0, status: 'changed' }
      const length = Math.min(free.length, stat.size - offset)
      const isWhole = offset === 0 && length === stat.size
      if (!isWhole && this.#hasChanged(wanted, offset, stat)) return { length: 0, status: 'changed' }
      let count = 0
      while (count < length) {
        const read = this.#disk.read(file, free, count, length - count, offset + count)
        if (read === 0) return { length: 0, status: 'changed' }
        count += read
      }
      return { length, status: offset + length === stat.size ? 'last' : 'more' }
    } finally {
      this.#disk.close(file)
    }
  }

  /** Whether a file that is sent in several blocks was written to since the first of them. */
  #hasChanged({ digest, path }: Wanted, offset: number, stat: DiskStat): boolean {
    const key = `${digest}/${path}`
    const before = this.#sent.get(key)
    this.#sent.delete(key)
    if (offset > 0 && before && !isUntouched(before, stat)) return true
    this.#sent.set(key, stat)
    for (const oldest of this.#sent.keys()) {
      if (this.#sent.size <= watchedFilesMax) break
      this.#sent.delete(oldest)
    }
    return false
  }

  #open(path: string, proven: Map<string, string>): number {
    const checked = checkPath(this.#options.synced, path)
    if (!checked.ok) throw checked.error
    const directory = this.#provenDirectory(parentOf(path), checked.value, proven)
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
  #provenDirectory(directory: string, item: SyncedItem, proven: Map<string, string>): string {
    const known = proven.get(directory)
    if (known !== undefined) return known
    const real = this.#disk.realpath(`${this.#options.home}/${directory}`)
    if (directory !== item.dir) this.#assertWithin(real, item, directory)
    proven.set(directory, real)
    return real
  }

  #assertWithin(real: string, item: SyncedItem, path: string): void {
    const root = this.#disk.realpath(`${this.#options.home}/${item.dir}`)
    if (!isBelow(real, root)) throw new ClusterError('pathRefused', { message: `'${path}' leads out of '${item.dir}'.` })
  }
}

const asClusterErrorOf = (path: string, thrown: unknown): ClusterError => {
  if (thrown instanceof ClusterError) return thrown
  return new ClusterError('fileFailed', { message: failureOf(path, thrown, 'read').message, cause: asClusterError(thrown, 'fileFailed') })
}
