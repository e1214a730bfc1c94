/**
 * Builds the new content of a file in the stage, out of what the file has of it already and of the ranges that are fetched.
 * Nothing is kept in memory between the steps; what was built counts for nothing until it has the digest.
 */
import { createHash } from 'node:crypto'
import { ClusterError } from '../../../base/errors.js'
import { limits } from '../../../base/limits.js'
import { ContentChunker } from '../../../domain/files/content/contentChunks.js'
import {
  type ByteRange,
  bytesIn,
  type ChunkPlace,
  type ContentRecipe,
  placesIn,
  rangesOver,
} from '../../../domain/files/content/contentRecipe.js'
import { KnownChunks } from '../../../domain/files/content/knownChunks.js'
import type { Digest, PatchRanges, PatchStart } from '../../../domain/files/treeValues.js'
import type { Disk } from '../../../ports/files.js'
import { decodeContentBlock } from '../../../wire/muster/contentBlock.js'
import { diskError, errnoOf } from '../diskFailure.js'
import type { TreeOptions } from '../fileCheck.js'
import { isDigest, readBytes, readThrough } from '../fileHash.js'
import { SyncedOpener } from '../syncedOpener.js'
import { type StageArea, writeAll } from './stageArea.js'

/** When more than half of the content is missing, a whole transfer is no worse, and can be resumed. */
const missingShareMax = 1 / 2

export class ContentPatch {
  readonly #disk: Disk
  readonly #options: TreeOptions
  readonly #area: StageArea

  constructor(disk: Disk, options: TreeOptions, area: StageArea) {
    this.#disk = disk
    this.#options = options
    this.#area = area
  }

  /**
   * Puts what the old content has into its new places; returns what is missing, nothing when the old content is of no use.
   * @throws ClusterError `malformed` for an invalid recipe
   */
  begin({ digest, path, recipe, size }: PatchStart): readonly ByteRange[] | undefined {
    if (!isDigest(digest) || size > limits.deltaBytesMax)
      throw new ClusterError('malformed', { message: 'No patch of this content is in progress' })
    const places = placesIn(recipe, size)
    if (!places.ok) throw places.error
    return this.#attempt(digest, () => {
      this.#area.distrust()
      this.#area.make()
      this.#reuse(path, digest, recipe, places.value)
      const missing = rangesOver([...places.value.values()].flat())
      if (missing.length <= limits.patchRangesMax && bytesIn(missing) <= size * missingShareMax) return missing
      this.#area.remove(this.#area.patchPath(digest))
      return undefined
    })
  }

  /**
   * Writes a block of the ranges. Returns how many bytes it brought.
   * @throws ClusterError `malformed` for an invalid block or one with content that was not requested, and the sender's own error
   */
  fill(block: Uint8Array, { digest, ranges }: PatchRanges): number {
    const pieces = decodeContentBlock(block)
    if (!pieces.ok) throw pieces.error
    return this.#onPatch(digest, (file) => {
      let count = 0
      for (const { bytes, failure, file: index, offset, status } of pieces.value) {
        if (status === 'failed') throw new ClusterError(failure?.code ?? 'transferFailed', failure && { message: failure.message })
        if (status === 'gone') throw new ClusterError('fileGone')
        if (status === 'changed') throw new ClusterError('digestMismatch')
        const range = ranges[index]
        if (!range || offset < range.start || offset + bytes.length > range.end)
          throw new ClusterError('malformed', { message: 'A block holds content that was not requested' })
        writeAll(this.#disk, file, bytes, offset)
        count += bytes.length
      }
      return count
    })
  }

  /**
   * Makes the content whole, proven and safe from a power loss, as the stage has all other content.
   * @throws ClusterError `digestMismatch`
   */
  finish(digest: Digest): void {
    this.#onPatch(digest, (file) => {
      const hash = createHash('sha256')
      readThrough(this.#disk, file, new Uint8Array(readBytes), limits.deltaBytesMax, (part) => hash.update(part))
      if (hash.digest('hex') !== digest) throw new ClusterError('digestMismatch')
      this.#disk.sync(file)
    })
    this.#attempt(digest, () => this.#disk.rename(this.#area.patchPath(digest), this.#area.wholePath(digest)))
  }

  /** Takes the chunks that it finds out of `places`. */
  #reuse(path: string, digest: Digest, recipe: ContentRecipe, places: Map<string, ChunkPlace[]>): void {
    const source = new SyncedOpener(this.#disk, this.#options).open(path)
    try {
      const target = this.#area.create(this.#area.patchPath(digest))
      try {
        // A recipe with false chunks makes some be found at other places than the chunker's: then there is more to fetch.
        const known = new KnownChunks(recipe)
        const take = (chunk: Uint8Array): void => {
          const key = known.keyOf(chunk)
          const found = places.get(key)
          // A chunk of that key and another length is a lie: what is not written is fetched, and the digest decides.
          if (found?.[0]?.length !== chunk.length) return
          for (const { offset } of found) writeAll(this.#disk, target, chunk, offset)
          places.delete(key)
        }
        const chunker = new ContentChunker(recipe.averageBits, take, (bytes) => known.lengthAt(bytes))
        readThrough(this.#disk, source, new Uint8Array(readBytes), limits.deltaBytesMax, (part) => chunker.push(part))
        chunker.finish()
      } finally {
        this.#disk.close(target)
      }
    } finally {
      this.#disk.close(source)
    }
  }

  #onPatch<T>(digest: Digest, act: (file: number) => T): T {
    if (!isDigest(digest)) throw new ClusterError('malformed', { message: 'No patch of this content is in progress' })
    return this.#attempt(digest, () => {
      const file = this.#area.reopen(this.#area.patchPath(digest), 'r+')
      try {
        return act(file)
      } finally {
        this.#disk.close(file)
      }
    })
  }

  /** Gives the space back when it fails. */
  #attempt<T>(digest: Digest, act: () => T): T {
    try {
      return act()
    } catch (thrown) {
      const error = diskError(digest, thrown, 'patched')
      this.#discard(digest)
      throw error
    }
  }

  #discard(digest: Digest): void {
    try {
      this.#area.remove(this.#area.patchPath(digest))
    } catch (thrown) {
      // The failure itself is reported; what cannot be deleted is overwritten or cleared later.
      if (errnoOf(thrown) === undefined) throw thrown
    }
  }
}
