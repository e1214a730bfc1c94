/** Writes recipes of the tree's files, and keeps the last ones: after a change of a large file every worker asks for the same. */
import { createHash } from 'node:crypto'
import { ClusterError } from '../../../base/errors.js'
import { limits } from '../../../base/limits.js'
import { averageBitsFor, averageBitsMin, ContentChunker } from '../../../domain/files/content/contentChunks.js'
import { type ContentRecipe, recipeRow } from '../../../domain/files/content/contentRecipe.js'
import { KnownChunks } from '../../../domain/files/content/knownChunks.js'
import type { Digest } from '../../../domain/files/treeValues.js'
import type { Disk, DiskStat } from '../../../ports/files.js'
import { diskError, errnoOf, isGone } from '../diskFailure.js'
import type { TreeOptions } from '../fileCheck.js'
import { isUntouched, readBytes, readThrough } from '../fileHash.js'
import { SyncedOpener } from '../syncedOpener.js'

interface Kept {
  readonly path: string
  readonly stat: DiskStat
  readonly recipe: ContentRecipe
}

const noRecipe: ContentRecipe = { averageBits: averageBitsMin, chunks: new Uint8Array() }

export class RecipeReader {
  readonly #disk: Disk
  readonly #options: TreeOptions
  /** The last used ones are the last. */
  readonly #kept = new Map<string, Kept>()

  constructor(disk: Disk, options: TreeOptions) {
    this.#disk = disk
    this.#options = options
  }

  /**
   * @throws ClusterError `fileGone`, `tooLarge` for a file of a size that is sent whole, `digestMismatch` when the file has
   * another content by now
   */
  recipe(path: string, digest: Digest): ContentRecipe {
    try {
      return this.#recipe(path, digest)
    } catch (thrown) {
      throw isGone(errnoOf(thrown)) ? new ClusterError('fileGone', { cause: thrown }) : diskError(path, thrown, 'read')
    }
  }

  #recipe(path: string, digest: Digest): ContentRecipe {
    const file = new SyncedOpener(this.#disk, this.#options).open(path)
    try {
      const stat = this.#disk.fstat(file)
      if (stat.kind !== 'file') throw new ClusterError('fileGone')
      if (stat.size < limits.deltaBytesMin || stat.size > limits.deltaBytesMax) throw new ClusterError('tooLarge')
      const key = `${digest}/${path}`
      const kept = this.#kept.get(key)
      this.#kept.delete(key)
      const recipe = kept && isUntouched(kept.stat, stat) ? kept.recipe : this.#write(file, stat.size, digest, this.#earlier(path))
      this.#keep(key, { path, stat, recipe })
      return recipe
    } finally {
      this.#disk.close(file)
    }
  }

  /** Of the content that the file had before, if it is kept. */
  #earlier(path: string): ContentRecipe | undefined {
    return [...this.#kept.values()].findLast((kept) => kept.path === path)?.recipe
  }

  #write(file: number, size: number, digest: Digest, earlier: ContentRecipe | undefined): ContentRecipe {
    const averageBits = averageBitsFor(size)
    const known = new KnownChunks(earlier?.averageBits === averageBits ? earlier : noRecipe)
    const rows: Uint8Array[] = []
    const hash = createHash('sha256')
    const take = (chunk: Uint8Array): unknown => rows.push(recipeRow(chunk, known.keyOf(chunk)))
    const chunker = new ContentChunker(averageBits, take, (bytes) => known.lengthAt(bytes))
    readThrough(this.#disk, file, new Uint8Array(readBytes), size, (part) => {
      hash.update(part)
      chunker.push(part)
    })
    chunker.finish()
    if (hash.digest('hex') !== digest) throw new ClusterError('digestMismatch')
    return { averageBits, chunks: Uint8Array.from(Buffer.concat(rows)) }
  }

  #keep(key: string, kept: Kept): void {
    this.#kept.set(key, kept)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= limits.recipesKeptMax) break
      this.#kept.delete(oldest)
    }
  }
}
