/**
 * A bucket of a manifest in 256 parts, so that two nodes find a difference in a tree of a million files by a few kilobytes. Made out of
 * the bucket when it is asked for: most comparisons never come this far.
 */
import { createHash } from 'node:crypto'
import { digestBytes, partCount, partOf } from './pathHash.js'
import type { FileEntry } from './treeValues.js'

export interface BucketParts {
  /** Of each part, in order. */
  readonly paths: readonly (readonly string[])[]
  /** Of the parts, joined. */
  readonly digests: Uint8Array
}

/** Over path, mode and content in order of the paths: equal exactly when all of these are. */
export const entriesDigest = (sorted: Iterable<FileEntry>): Uint8Array => {
  let text = ''
  for (const { digest, held, mode, path } of sorted) text += `${path}\0${mode.toString(8)}\0${held ? 'held' : digest}\n`
  return createHash('sha256').update(text).digest().subarray(0, digestBytes)
}

const digestOfNone = entriesDigest([])

/** @param entriesOf the entries of some of the paths */
export const inParts = (sorted: readonly string[], entriesOf: (paths: readonly string[]) => Iterable<FileEntry>): BucketParts => {
  const paths: string[][] = Array.from({ length: partCount }, () => [])
  for (const path of sorted) paths[partOf(path)]?.push(path)
  const digests = Buffer.alloc(partCount * digestBytes)
  for (const [index, part] of paths.entries())
    digests.set(part.length === 0 ? digestOfNone : entriesDigest(entriesOf(part)), index * digestBytes)
  return { paths, digests }
}
