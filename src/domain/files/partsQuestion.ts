/** In which parts of its large buckets a worker differs from the master, as `integrity.parts` carries it: a digest a part there, a bit back. */
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { differingDigests, type Manifest } from './manifest.js'
import { digestBytes, partCount } from './pathHash.js'

const bitmapBytes = partCount / 8

/** Whether the parts of a bucket are asked for before its entries are. @param files in it, on the worker */
export const isInParts = (files: number): boolean => files > limits.comparedWholeFilesMax

export interface PartsQuestion {
  readonly buckets: readonly number[]
  /** Of the parts of each bucket, joined. */
  readonly digests: Uint8Array
}

/** About the first of the buckets, as many as a question may have. */
export const askForParts = (worker: Manifest, buckets: readonly number[]): PartsQuestion => {
  const asked = buckets.slice(0, limits.comparedPartsBucketsMax)
  return { buckets: asked, digests: Buffer.concat(asked.map((index) => worker.parts(index).digests)) }
}

/** A bit for each part that differs, the lowest bit for the first part; and how many these are. */
export const answerParts = (
  master: Manifest,
  { buckets, digests }: PartsQuestion,
): Result<{ readonly bits: Uint8Array; readonly parts: number }> => {
  const eachBytes = partCount * digestBytes
  if (buckets.length > limits.comparedPartsBucketsMax || digests.byteLength !== buckets.length * eachBytes)
    return refuse('malformed', { message: `A question about parts has the digests of the parts of ${buckets.length} buckets` })
  const bits = Buffer.alloc(buckets.length * bitmapBytes)
  let parts = 0
  for (const [position, index] of buckets.entries()) {
    const theirs = digests.subarray(position * eachBytes, (position + 1) * eachBytes)
    for (const part of differingDigests(master.parts(index).digests, theirs)) {
      parts += 1
      const at = position * bitmapBytes + (part >> 3)
      bits.writeUInt8(bits.readUInt8(at) | (1 << (part & 7)), at)
    }
  }
  return ok({ bits, parts })
}

/** Indexes of the parts whose bit is set. */
export const readParts = (buckets: readonly number[], bits: Uint8Array): Result<number[]> => {
  if (bits.byteLength !== buckets.length * bitmapBytes) return refuse('malformed', { message: 'An answer must have one bit for each part' })
  return ok(
    buckets.flatMap((bucket, position) =>
      Array.from({ length: partCount }, (_, part) => part)
        .filter((part) => (((bits[position * bitmapBytes + (part >> 3)] ?? 0) >> (part & 7)) & 1) === 1)
        .map((part) => bucket * partCount + part),
    ),
  )
}
