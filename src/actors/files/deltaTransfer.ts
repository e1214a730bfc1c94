/**
 * Brings new content of a large file to the worker's stage by what changed in it: the master's recipe says of which chunks the
 * content is made, the worker takes those that its own file has from there and fetches the rest.
 */

import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { bytesIn, encodeRanges } from '../../domain/files/content/contentRecipe.js'
import type { SyncPlan } from '../../domain/files/syncPlan.js'
import type { Digest } from '../../domain/files/treeValues.js'
import type { Files } from '../../ports/files.js'
import type { Link, RequestOptions } from '../../ports/link.js'
import type { Turns } from '../kit/turns.js'

export const deltaCapability = 'delta'

/** A file that is likely to have changed little. */
export interface DeltaFile {
  readonly path: string
  /** Of the new content. */
  readonly digest: Digest
  readonly size: number
}

const isSizeForDelta = (bytes: number): boolean => bytes >= limits.deltaBytesMin && bytes <= limits.deltaBytesMax

/**
 * The updates of a plan for which a delta is worth trying, the largest first, by their digests.
 * @param sizeOf bytes of the worker's own file
 */
export const deltaFilesOf = async (
  plan: SyncPlan,
  sizeOf: (path: string) => number | undefined,
  turns: Turns,
): Promise<ReadonlyMap<Digest, DeltaFile>> => {
  let files: DeltaFile[] = []
  const keepLargest = (): void => {
    files = files.sort((one, other) => other.size - one.size).slice(0, limits.patchesPerPlanMax)
  }
  for (const { digest, path, size } of plan.update) {
    if (isSizeForDelta(size) && isSizeForDelta(sizeOf(path) ?? 0)) files.push({ path, digest, size })
    if (!turns.isOver()) continue
    keepLargest()
    await turns.next()
  }
  keepLargest()
  return new Map(files.map((file) => [file.digest, file]))
}

export interface DeltaOptions {
  readonly files: Files
  readonly compress: boolean
  readonly request: RequestOptions
}

/**
 * Resolves to true when the content is staged and proven, to false when the old content is of no use for it. Fails with
 * `digestMismatch` when one of the two files changed on the way, and with whatever else goes wrong.
 */
export const transferDelta = async (link: Link, { digest, path, size }: DeltaFile, options: DeltaOptions): Promise<boolean> => {
  const { compress, files, request } = options
  const wanted = { path, digest: Buffer.from(digest, 'hex') }
  const recipe = await link.request('integrity.recipe', wanted, request)
  const ranges = await files.beginPatch({ path, digest, size, recipe }, request.signal)
  if (!ranges) return false
  let missing = bytesIn(ranges)
  if (missing > 0) {
    const stream = link.expectStream('file')
    try {
      await link.request('integrity.ranges', { stream: stream.id, ...wanted, ranges: encodeRanges(ranges), compress }, request)
      for await (const block of stream) {
        request.signal.throwIfAborted()
        const count = await files.fillPatch(block, { digest, ranges }, request.signal)
        missing -= count
        // A block without content, or more than was asked for: there need not be an end to it.
        if (count === 0 || missing < 0) throw new ClusterError('transferFailed')
      }
    } finally {
      stream.cancel()
    }
  }
  await files.finishPatch(digest, request.signal)
  return true
}
