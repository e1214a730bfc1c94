/**
 * What a node's synced tree holds: path to entry, in 256 buckets by a hash of the path, each with a digest, and one root
 * digest over them. A change touches one bucket, so that a check costs what changed and not what is there. Large buckets are
 * compared in parts, which are made when they are asked for (bucketParts.ts).
 */
import { createHash } from 'node:crypto'
import { invariant } from '../../base/invariant.js'
import { type BucketParts, entriesDigest, inParts } from './bucketParts.js'
import { bucketOf, digestBytes, partCount } from './pathHash.js'
import type { Digest, FileEntry } from './treeValues.js'

export const bucketCount = 256
/** Buckets whose parts are kept for the next question about them. */
const bucketsInPartsMax = 8

type Bucket = Map<string, FileEntry>

export class Manifest {
  /** Directories that are missing or cannot be read: of files below them nothing is known, not even that they are gone. */
  unknownDirectories: ReadonlySet<string> = new Set()
  readonly #buckets: readonly Bucket[] = Array.from({ length: bucketCount }, () => new Map())
  readonly #digests = Buffer.alloc(bucketCount * digestBytes)
  readonly #stale = new Set<number>(Array.from({ length: bucketCount }, (_, index) => index))
  /** The paths of a bucket in order, until one comes or goes. */
  readonly #sorted: (readonly string[] | undefined)[] = []
  /** The one that was asked for longest ago first. */
  readonly #parts = new Map<number, BucketParts>()
  readonly #held = new Set<string>()
  /** Where each content is, to copy from instead of fetching: nearly always at one path, for which a set would be a waste. */
  readonly #pathsOf = new Map<Digest, string | Set<string>>()
  #root: Uint8Array | undefined
  #files = 0

  get files(): number {
    return this.#files
  }

  get(path: string): FileEntry | undefined {
    return this.#buckets[bucketOf(path)]?.get(path)
  }

  /** Of the entries that are held. */
  get heldPaths(): ReadonlySet<string> {
    return this.#held
  }

  /** Some path with this content, if any. */
  pathWith(digest: Digest): string | undefined {
    const paths = this.#pathsOf.get(digest)
    if (typeof paths !== 'object') return paths
    for (const path of paths) return path
    return undefined
  }

  set(entry: FileEntry): void {
    const bucket = this.#touch(entry.path)
    const before = bucket.get(entry.path)
    if (before) this.#forgetContent(before)
    else {
      this.#files += 1
      this.#sorted[bucketOf(entry.path)] = undefined
    }
    bucket.set(entry.path, entry)
    if (entry.held) this.#held.add(entry.path)
    else {
      this.#held.delete(entry.path)
      this.#noteContent(entry)
    }
  }

  delete(path: string): void {
    const before = this.get(path)
    if (!before) return
    this.#touch(path).delete(path)
    this.#sorted[bucketOf(path)] = undefined
    this.#held.delete(path)
    this.#forgetContent(before)
    this.#files -= 1
  }

  bucket(index: number): ReadonlyMap<string, FileEntry> {
    const bucket = this.#buckets[index]
    invariant(bucket !== undefined, 'a bucket index is below 256')
    return bucket
  }

  /** The paths of a bucket in order. The list is never changed, so that a reader may take its time. */
  sortedPaths(index: number): readonly string[] {
    const known = this.#sorted[index]
    if (known) return known
    const sorted = [...this.bucket(index).keys()].sort()
    this.#sorted[index] = sorted
    return sorted
  }

  /** The bucket in its 256 parts. */
  parts(index: number): BucketParts {
    const parts = this.#parts.get(index) ?? inParts(this.bucket(index), this.sortedPaths(index))
    this.#parts.delete(index)
    this.#parts.set(index, parts)
    const [oldest] = this.#parts.keys()
    if (oldest !== undefined && this.#parts.size > bucketsInPartsMax) this.#parts.delete(oldest)
    return parts
  }

  /** Entries of a part, of which `index` is that of its bucket times 256 and its own in there. */
  part(index: number): readonly FileEntry[] {
    return this.parts(Math.floor(index / partCount)).entries[index % partCount] ?? []
  }

  /**
   * Digests of changed buckets are brought up to date, until these have `entriesMax` entries or more; false when that was all. Lets a
   * caller spread the work.
   */
  settleSome(entriesMax: number): boolean {
    let left = entriesMax
    for (const index of this.#stale) {
      if (left <= 0) return true
      const bucket = this.bucket(index)
      this.#digests.set(entriesDigest(entriesOf(bucket, this.sortedPaths(index))), index * digestBytes)
      this.#stale.delete(index)
      left -= bucket.size + 1
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
    for (const bucket of this.#buckets) yield* bucket.values()
  }

  #touch(path: string): Bucket {
    const index = bucketOf(path)
    this.#stale.add(index)
    this.#parts.delete(index)
    this.#root = undefined
    const bucket = this.#buckets[index]
    invariant(bucket !== undefined, 'a path has a bucket')
    return bucket
  }

  #noteContent({ digest, path }: FileEntry): void {
    const paths = this.#pathsOf.get(digest)
    if (paths === undefined) this.#pathsOf.set(digest, path)
    else if (typeof paths === 'object') paths.add(path)
    else this.#pathsOf.set(digest, new Set([paths, path]))
  }

  #forgetContent({ digest, path }: FileEntry): void {
    const paths = this.#pathsOf.get(digest)
    if (typeof paths === 'object') paths.delete(path)
    if (paths === path || (typeof paths === 'object' && paths.size === 0)) this.#pathsOf.delete(digest)
  }
}

function* entriesOf(bucket: ReadonlyMap<string, FileEntry>, sorted: readonly string[]): Iterable<FileEntry> {
  for (const path of sorted) {
    const entry = bucket.get(path)
    if (entry) yield entry
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
