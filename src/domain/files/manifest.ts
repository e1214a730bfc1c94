/**
 * What a node's synced tree holds: path to entry, in 256 buckets by a hash of the path, each with a digest, and one root
 * digest over them. A change touches one bucket, so that a check costs what changed and not what is there. Large buckets are
 * compared in parts, which are made when they are asked for (bucketParts.ts).
 */
import { createHash } from 'node:crypto'
import { invariant } from '../../base/invariant.js'
import { type BucketParts, entriesDigest, inParts } from './bucketParts.js'
import { EntryTable } from './entryTable.js'
import { bucketOf, digestBytes, partCount } from './pathHash.js'
import type { Digest, FileEntry } from './treeValues.js'

export const bucketCount = 256
/** Buckets whose parts are kept for the next question about them. */
const bucketsInPartsMax = 8

/** Rows of the entries, by path. */
type Bucket = Map<string, number>

/** The beginning of a digest, as a number: contents are found by it in half the memory. */
const contentKey = (digest: Digest): number => Number.parseInt(digest.slice(0, 8), 16) | 0

export class Manifest {
  /** Directories that are missing or cannot be read: of files below them nothing is known, not even that they are gone. */
  unknownDirectories: ReadonlySet<string> = new Set()
  readonly #entries = new EntryTable()
  readonly #buckets: readonly Bucket[] = Array.from({ length: bucketCount }, () => new Map())
  readonly #digests = Buffer.alloc(bucketCount * digestBytes)
  readonly #stale = new Set<number>(Array.from({ length: bucketCount }, (_, index) => index))
  /** The paths of a bucket in order, until one comes or goes. */
  readonly #sorted: (readonly string[] | undefined)[] = []
  /** The one that was asked for longest ago first. */
  readonly #parts = new Map<number, BucketParts>()
  readonly #held = new Set<string>()
  /** Where contents are, by contentKey, to copy from instead of fetching: nearly always at one path, for which a set would be a waste. */
  readonly #pathsOf = new Map<number, string | Set<string>>()
  #root: Uint8Array | undefined

  get files(): number {
    return this.#entries.size
  }

  get(path: string): FileEntry | undefined {
    const row = this.#buckets[bucketOf(path)]?.get(path)
    return row === undefined ? undefined : this.#entries.entry(row, path)
  }

  has(path: string): boolean {
    return this.#buckets[bucketOf(path)]?.has(path) === true
  }

  /** Of the entries that are held. */
  get heldPaths(): ReadonlySet<string> {
    return this.#held
  }

  /** Some path with this content, if any. */
  pathWith(digest: Digest): string | undefined {
    const paths = this.#pathsOf.get(contentKey(digest))
    if (paths === undefined) return undefined
    for (const path of typeof paths === 'object' ? paths : [paths]) if (this.get(path)?.digest === digest) return path
    return undefined
  }

  set(entry: FileEntry): void {
    const index = bucketOf(entry.path)
    const bucket = this.#touch(index)
    const known = bucket.get(entry.path)
    const row = known ?? this.#entries.add()
    if (known !== undefined) this.#forgetContent(known, entry.path)
    else {
      bucket.set(entry.path, row)
      this.#sorted[index] = undefined
    }
    this.#entries.write(row, entry)
    if (entry.held) this.#held.add(entry.path)
    else {
      this.#held.delete(entry.path)
      this.#noteContent(entry)
    }
  }

  delete(path: string): void {
    const index = bucketOf(path)
    const row = this.#buckets[index]?.get(path)
    if (row === undefined) return
    this.#touch(index).delete(path)
    this.#sorted[index] = undefined
    this.#held.delete(path)
    this.#forgetContent(row, path)
    this.#entries.remove(row)
  }

  filesIn(index: number): number {
    return this.#bucket(index).size
  }

  /** Of a bucket. */
  entriesIn(index: number): readonly FileEntry[] {
    return [...this.#bucket(index)].map(([path, row]) => this.#entries.entry(row, path))
  }

  /** The paths of a bucket in order. The list is never changed, so that a reader may take its time. */
  sortedPaths(index: number): readonly string[] {
    const known = this.#sorted[index]
    if (known) return known
    const sorted = [...this.#bucket(index).keys()].sort()
    this.#sorted[index] = sorted
    return sorted
  }

  /** The bucket in its 256 parts. */
  parts(index: number): BucketParts {
    const parts = this.#parts.get(index) ?? inParts(this.sortedPaths(index), (paths) => this.#entriesOf(index, paths))
    this.#parts.delete(index)
    this.#parts.set(index, parts)
    const [oldest] = this.#parts.keys()
    if (oldest !== undefined && this.#parts.size > bucketsInPartsMax) this.#parts.delete(oldest)
    return parts
  }

  /** Entries of a part, of which `index` is that of its bucket times 256 and its own in there. */
  part(index: number): readonly FileEntry[] {
    const bucket = Math.floor(index / partCount)
    return [...this.#entriesOf(bucket, this.parts(bucket).paths[index % partCount] ?? [])]
  }

  /**
   * Digests of changed buckets are brought up to date, until these have `entriesMax` entries or more; false when that was all. Lets a
   * caller spread the work.
   */
  settleSome(entriesMax: number): boolean {
    let left = entriesMax
    for (const index of this.#stale) {
      if (left <= 0) return true
      this.#digests.set(entriesDigest(this.#entriesOf(index, this.sortedPaths(index))), index * digestBytes)
      this.#stale.delete(index)
      left -= this.filesIn(index) + 1
    }
    return false
  }

  /** All 256 digests, joined. */
  bucketDigests(): Uint8Array {
    this.settleSome(Number.POSITIVE_INFINITY)
    return this.#digests
  }

  root(): Uint8Array {
    this.#root ??= createHash('sha256').update(this.bucketDigests()).digest()
    return this.#root
  }

  *entries(): IterableIterator<FileEntry> {
    for (const bucket of this.#buckets) for (const [path, row] of bucket) yield this.#entries.entry(row, path)
  }

  #touch(index: number): Bucket {
    this.#stale.add(index)
    this.#parts.delete(index)
    this.#root = undefined
    return this.#bucket(index)
  }

  #bucket(index: number): Bucket {
    const bucket = this.#buckets[index]
    invariant(bucket !== undefined, 'a bucket index is below 256')
    return bucket
  }

  /** Of paths that are in the bucket. */
  *#entriesOf(index: number, paths: readonly string[]): Generator<FileEntry> {
    const bucket = this.#bucket(index)
    for (const path of paths) {
      const row = bucket.get(path)
      if (row !== undefined) yield this.#entries.entry(row, path)
    }
  }

  #noteContent({ digest, path }: FileEntry): void {
    const key = contentKey(digest)
    const paths = this.#pathsOf.get(key)
    if (paths === undefined) this.#pathsOf.set(key, path)
    else if (typeof paths === 'object') paths.add(path)
    else if (paths !== path) this.#pathsOf.set(key, new Set([paths, path]))
  }

  #forgetContent(row: number, path: string): void {
    const key = contentKey(this.#entries.digestOf(row))
    const paths = this.#pathsOf.get(key)
    if (typeof paths === 'object') paths.delete(path)
    if (paths === path || (typeof paths === 'object' && paths.size === 0)) this.#pathsOf.delete(key)
  }
}

/** Indexes of the buckets, or of the parts of one, in which two trees differ; the digests are joined. */
export const differingDigests = (ours: Uint8Array, theirs: Uint8Array): number[] => {
  const differing: number[] = []
  for (let start = 0; start < ours.byteLength; start += digestBytes)
    if (Buffer.compare(ours.subarray(start, start + digestBytes), theirs.subarray(start, start + digestBytes)) !== 0)
      differing.push(start / digestBytes)
  return differing
}

export const sameDigest = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
