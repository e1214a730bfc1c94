/**
 * What a node's synced tree holds: path to entry, in 256 buckets by a hash of the path, each with a digest, and one root
 * digest over them. A change touches one bucket, so that a check costs what changed and not what is there.
 */
import { createHash } from 'node:crypto'
import { invariant } from '../../base/invariant.js'
import type { Digest, FileEntry } from './treeValues.js'

export const bucketCount = 256
/** Bytes of a bucket's digest on the wire. */
export const bucketDigestBytes = 16

/** FNV-1a over the UTF-16 code units, folded to one byte. */
export const bucketOf = (path: string): number => {
  let hash = 0x811c9dc5
  for (let i = 0; i < path.length; i++) hash = Math.imul(hash ^ path.charCodeAt(i), 0x01000193)
  return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & 0xff
}

type Bucket = Map<string, FileEntry>

export class Manifest {
  /** Directories that are missing or cannot be read: of files below them nothing is known, not even that they are gone. */
  unknownDirectories: ReadonlySet<string> = new Set()
  readonly #buckets: readonly Bucket[] = Array.from({ length: bucketCount }, () => new Map())
  readonly #digests = Buffer.alloc(bucketCount * bucketDigestBytes)
  readonly #stale = new Set<number>(Array.from({ length: bucketCount }, (_, index) => index))
  /** The paths of a bucket in order, until one comes or goes. */
  readonly #sorted: (readonly string[] | undefined)[] = []
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

  /** Digests of up to `bucketsMax` changed buckets are brought up to date; false when that was all. Lets a caller spread the work. */
  settleSome(bucketsMax: number): boolean {
    let budget = bucketsMax
    for (const index of this.#stale) {
      if (budget-- === 0) return true
      this.#digests.set(bucketDigest(this.bucket(index), this.sortedPaths(index)), index * bucketDigestBytes)
      this.#stale.delete(index)
    }
    return false
  }

  /** All 256 digests, joined. */
  bucketDigests(): Uint8Array {
    this.settleSome(bucketCount)
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

/** Over path, mode and content in order of the paths: equal exactly when all of these are. */
const bucketDigest = (bucket: ReadonlyMap<string, FileEntry>, sorted: readonly string[]): Uint8Array => {
  let text = ''
  for (const path of sorted) {
    const entry = bucket.get(path)
    if (entry) text += `${path}\0${entry.mode.toString(8)}\0${entry.held ? 'held' : entry.digest}\n`
  }
  return createHash('sha256').update(text).digest().subarray(0, bucketDigestBytes)
}

/** Indexes of the buckets in which two trees differ. */
export const differingBuckets = (ours: Uint8Array, theirs: Uint8Array): number[] => {
  const differing: number[] = []
  for (let index = 0; index < bucketCount; index++) {
    const start = index * bucketDigestBytes
    const end = start + bucketDigestBytes
    if (Buffer.compare(ours.subarray(start, end), theirs.subarray(start, end)) !== 0) differing.push(index)
  }
  return differing
}

export const sameDigest = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
