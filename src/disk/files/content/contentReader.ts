/**
 * Packs content of the synced tree into blocks to be sent: many small files, or the next part of a large one. Files are
 * opened again for each block, so that any number of transfers costs nothing between their blocks.
 */

import type { ContentRequest } from '../../../domain/files/treeValues.js'
import type { Disk, DiskStat } from '../../../ports/files.js'
import { ContentBlockWriter, type PieceStatus } from '../../../wire/muster/contentBlock.js'
import { diskError, errnoOf, isGone } from '../diskFailure.js'
import type { TreeOptions } from '../fileCheck.js'
import { isUntouched } from '../fileHash.js'
import { SyncedOpener } from '../syncedOpener.js'

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
   * One block, from `request.from` on; what goes wrong with a file is said in the block.
   * @param firstFile how the first file of the request is numbered in the block, when it is a part of a larger one
   */
  read(request: ContentRequest, firstFile = 0): ReadContent {
    const block = new ContentBlockWriter()
    const opener = new SyncedOpener(this.#disk, this.#options)
    let { file, offset } = request.from
    for (let wanted = request.files[file]; wanted && block.room > 0; wanted = request.files[file]) {
      const { length, status } = this.#addPiece(block, firstFile + file, wanted, offset, opener)
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
    opener: SyncedOpener,
  ): { length: number; status: PieceStatus } {
    try {
      const piece = this.#fill(block.free, wanted, offset, opener)
      block.add({ file, offset, status: piece.status }, piece.length)
      return piece
    } catch (thrown) {
      const status = isGone(errnoOf(thrown)) ? 'gone' : 'failed'
      const failure = diskError(wanted.path, thrown, 'read')
      block.add({ file, offset, status, failure }, 0)
      return { length: 0, status }
    }
  }

  #fill(free: Uint8Array, wanted: Wanted, offset: number, opener: SyncedOpener): { length: number; status: PieceStatus } {
    const file = opener.open(wanted.path)
    try {
      const stat = this.#disk.fstat(file)
      const end = wanted.end ?? stat.size
      if (stat.kind !== 'file' || offset > end || end > stat.size) return { length: 0, status: 'changed' }
      const length = Math.min(free.length, end - offset)
      const isWhole = offset === 0 && length === stat.size
      // A range is small; whether it fits to the others is seen by the digest.
      if (!isWhole && wanted.end === undefined && this.#hasChanged(wanted, offset, stat)) return { length: 0, status: 'changed' }
      let count = 0
      while (count < length) {
        const read = this.#disk.read(file, free, count, length - count, offset + count)
        if (read === 0) return { length: 0, status: 'changed' }
        count += read
      }
      return { length, status: offset + length === end ? 'last' : 'more' }
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
}
