/**
 * Brings content from the master to the worker's stage: what is neither in the tree nor staged, some files at a time. Much of a
 * file that changed little is taken from the old one (see deltaTransfer.ts).
 */

import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { ChangeNotice } from '../../domain/files/changeNotice.js'
import {
  type Arrival,
  type Compression,
  choosesCompression,
  unknownSpeeds,
  withTransfer,
} from '../../domain/files/content/compressionChoice.js'
import type { DiskWrites } from '../../domain/files/content/syncPace.js'
import { joinDigests, joinPaths, splitDigests } from '../../domain/files/entryColumns.js'
import { type SyncPlan, withWrites, writeStepsOf } from '../../domain/files/syncPlan.js'
import type { Digest, FileEntry, FileFailure, WriteStep } from '../../domain/files/treeValues.js'
import type { Link } from '../../ports/link.js'
import type { Clock } from '../../ports/machine.js'
import { contentBytesIn } from '../../wire/muster/contentBlock.js'
import type { Turns } from '../kit/turns.js'
import { type DeltaFile, deltaCapability, deltaFilesOf, transferDelta } from './deltaTransfer.js'
import type { LocalTree } from './localTree.js'

export interface ContentTransferOptions {
  readonly tree: LocalTree
  readonly clock: Clock
  readonly requestTimeoutMs: number
  readonly compression: Compression
}

/** Files that are whole in the stage or can be copied there, and those that are not. */
export interface Transferred {
  readonly steps: readonly WriteStep[]
  readonly failures: readonly FileFailure[]
}

/** What all portions of one plan share. */
export interface PlanTransfer {
  readonly link: Link
  readonly deltas: ReadonlyMap<Digest, DeltaFile> | undefined
  /** Bytes that may still be fetched; undefined before anything had to be. */
  room: number | undefined
  /** Content that is staged and proven already. */
  readonly proven: Set<Digest>
}

/** Blocks that may wait to be staged while the next ones come in. */
const stagingBlocksMax = limits.contentBlocksPerTaskMax

/** What a block counts for at least: there need not be an end to empty ones either. */
const blockBytesMin = 1_024

/** Blocks of one transfer that are measured to know the wire. */
const arrivalsMax = 256

/** Contents that are not tried as a delta again; when they are more, all are. */
const spoiledDeltasMax = 64

type Failure = Omit<FileFailure, 'path'>
type Failures = Map<Digest, Failure>

/** No content has this digest. */
const notWanted: Digest = ''

const unfinished: Failure = { code: 'transferFailed', message: 'The master did not send the whole file' }
/** Most likely one of the files is being written to: the next check knows more of it. */
const outgrown: Failure = { code: 'digestMismatch', message: 'The master sent much more than it had announced' }

const noRoom = `Not enough free space on the disk: ${limits.diskReserveBytes / 2 ** 20} MiB are always kept free`

/** One file of a fetch: the content wanted, and how much of it is already staged. */
interface Wanted {
  readonly path: string
  readonly digest: Digest
  /** As the plan says. */
  readonly size: number
  readonly offset: number
}

export class ContentTransfer {
  readonly #options: ContentTransferOptions
  #speeds = unknownSpeeds
  #diskWrites: DiskWrites | undefined
  /** Digests of contents that did not come out of a delta. */
  readonly #spoiledDeltas = new Set<Digest>()

  constructor(options: ContentTransferOptions) {
    this.#options = options
  }

  /** How the disk was written to last, as far as it is known. */
  get diskWrites(): DiskWrites | undefined {
    return this.#diskWrites
  }

  async begin(link: Link, plan: SyncPlan, turns: Turns): Promise<PlanTransfer> {
    const { manifest } = this.#options.tree
    const isTaken = link.peer.capabilities.includes(deltaCapability)
    const deltas = isTaken ? await deltaFilesOf(plan, (path) => manifest.get(path)?.size, turns) : undefined
    return { link, deltas, room: undefined, proven: new Set() }
  }

  /** Stages the content that came with an announcement, where it is of these files. What is not whole is fetched like the rest. */
  async take(
    transfer: PlanTransfer,
    { content, contentDigests = new Uint8Array() }: ChangeNotice,
    entries: readonly FileEntry[],
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = new Set(entries.map(({ digest }) => digest))
    // It may also have what this tree has by now.
    const digests = splitDigests(contentDigests).map((digest) => (wanted.has(digest) ? digest : notWanted))
    if (!content || digests.every((digest) => digest === notWanted)) return
    const { complete, diskWrites } = await this.#options.tree.files.stage(content, digests, signal)
    this.#diskWrites = diskWrites ?? this.#diskWrites
    for (const index of complete) {
      const digest = digests[index]
      if (digest !== undefined) transfer.proven.add(digest)
    }
  }

  async #room(signal: AbortSignal): Promise<number> {
    return Math.min(limits.planBytesMax, (await this.#options.tree.files.freeBytes(signal)) - limits.diskReserveBytes)
  }

  /**
   * Resolves when all content of these files that can be had is staged and proven.
   * @param writing what is written meanwhile, and will be before these files are
   */
  async bring(
    transfer: PlanTransfer,
    entries: readonly FileEntry[],
    signal: AbortSignal,
    writing: readonly WriteStep[] = [],
  ): Promise<Transferred> {
    const { manifest } = this.#options.tree
    const steps = writeStepsOf({ create: entries, update: [] }, withWrites(manifest, writing))
    const sizes = new Map(entries.map(({ digest, size }) => [digest, size]))
    const wantedBy = new Map<Digest, string>()
    for (const { digest, from, path } of steps)
      if (from.kind === 'stage' && !transfer.proven.has(digest) && !wantedBy.has(digest)) wantedBy.set(digest, path)
    // Directory by directory: the master then checks once, not for each file, whether a directory is within its item.
    const digests = [...wantedBy].sort(([, a], [, b]) => (a < b ? -1 : 1)).map(([digest]) => digest)
    if (digests.length === 0) return { steps, failures: [] }
    const failed: Failures = new Map()
    const offsets = await this.#options.tree.files.staged(digests, signal)
    let room = transfer.room ?? (await this.#room(signal))
    const whole: Wanted[] = []
    for (const [index, digest] of digests.entries()) {
      const [size, offset] = [sizes.get(digest) ?? 0, offsets[index] ?? 0]
      // What is staged of more than there is was never the content.
      const file: Wanted = { path: wantedBy.get(digest) ?? '', digest, size, offset: offset > size ? 0 : offset }
      // A size is what the master says; a file for which there is no room leaves the others theirs.
      if (file.size - file.offset > room) {
        failed.set(file.digest, { code: 'diskFull', message: noRoom })
        continue
      }
      room -= file.size - file.offset
      const delta = file.offset === 0 ? transfer.deltas?.get(file.digest) : undefined
      if (!delta || !(await this.#patch(transfer.link, delta, failed, signal))) whole.push(file)
    }
    transfer.room = room
    for (const batch of batchesOf(whole)) await this.#fetch(transfer.link, batch, failed, signal)
    const failures = steps.flatMap((step) => {
      const failure = step.from.kind === 'stage' ? failed.get(step.digest) : undefined
      return failure ? [{ path: step.path, ...failure }] : []
    })
    const failedPaths = new Set(failures.map((failure) => failure.path))
    return { steps: steps.filter((step) => !failedPaths.has(step.path)), failures }
  }

  /** False when the file has to be fetched whole. */
  async #patch(link: Link, file: DeltaFile, failed: Failures, signal: AbortSignal): Promise<boolean> {
    const { digest } = file
    if (this.#spoiledDeltas.has(digest)) return false
    const { compression, tree } = this.#options
    try {
      const request = this.#limits(signal)
      return await transferDelta(link, file, { files: tree.files, compress: compression !== 'never', request })
    } catch (thrown) {
      signal.throwIfAborted()
      if (!(thrown instanceof ClusterError)) throw thrown
      if (thrown.code !== 'digestMismatch') return false
      // Most likely the file has changed again, and all of it would be sent for nothing. If it has not, the next check fetches it whole.
      if (this.#spoiledDeltas.size >= spoiledDeltasMax) this.#spoiledDeltas.clear()
      this.#spoiledDeltas.add(digest)
      failed.set(digest, { code: thrown.code, message: thrown.message })
      return true
    }
  }

  async #fetch(link: Link, batch: readonly Wanted[], failed: Failures, signal: AbortSignal): Promise<void> {
    const { clock, compression, tree } = this.#options
    const digests = batch.map((file) => file.digest)
    const stream = link.expectStream('file')
    const open = new Set(batch.keys())
    const compress = choosesCompression(compression, this.#speeds)
    const stage = async (block: Uint8Array): Promise<void> => {
      const outcome = await tree.files.stage(block, digests, signal)
      this.#diskWrites = outcome.diskWrites ?? this.#diskWrites
      for (const index of outcome.complete) open.delete(index)
      for (const { file, code, message } of outcome.failed) {
        open.delete(file)
        const digest = digests[file]
        if (digest !== undefined) failed.set(digest, { code, message })
      }
    }
    const missing = batch.reduce((bytes, { offset, size }) => bytes + size - offset, 0)
    let room = limits.fetchGrowthMax * missing + limits.fetchSlackBytes
    const staging: Promise<void>[] = []
    const arrivals: Arrival[] = []
    try {
      await link.request(
        'integrity.fetch',
        {
          stream: stream.id,
          paths: joinPaths(batch.map((file) => file.path)),
          digests: joinDigests(digests),
          offsets: batch.map((file) => file.offset),
          compress,
        },
        this.#limits(signal),
      )
      let askedMs = clock.monotonicMs()
      for await (const block of stream) {
        const contentBytes = contentBytesIn(block)
        room -= Math.max(contentBytes, blockBytesMin)
        if (room < 0) break
        // Only waiting says something of the wire: what is staged in the meantime does not.
        if (arrivals.length < arrivalsMax)
          arrivals.push({ contentBytes, wireBytes: block.byteLength, waitedMs: clock.monotonicMs() - askedMs })
        signal.throwIfAborted()
        // Some blocks are staged while the next ones come in.
        if (staging.length >= stagingBlocksMax) await staging.shift()
        const staged = stage(block)
        staged.catch(() => undefined)
        staging.push(staged)
        askedMs = clock.monotonicMs()
      }
      await Promise.all(staging)
    } finally {
      stream.cancel()
    }
    for (const index of open) {
      const digest = digests[index]
      if (digest !== undefined) failed.set(digest, room < 0 ? outgrown : unfinished)
    }
    this.#speeds = withTransfer(this.#speeds, compress, arrivals)
  }

  #limits(signal: AbortSignal): { signal: AbortSignal; timeoutMs: number } {
    return { signal, timeoutMs: this.#options.requestTimeoutMs }
  }
}

/** Splits a fetch so that each part fits into one message. */
const batchesOf = (wanted: readonly Wanted[]): Wanted[][] => {
  const batches: Wanted[][] = []
  let batch: Wanted[] = []
  let bytes = 0
  for (const file of wanted) {
    const pathBytes = Buffer.byteLength(file.path) + 1
    if (batch.length === limits.fetchFilesMax || (batch.length > 0 && bytes + pathBytes > limits.fetchPathBytesMax)) {
      batches.push(batch)
      batch = []
      bytes = 0
    }
    batch.push(file)
    bytes += pathBytes
  }
  if (batch.length > 0) batches.push(batch)
  return batches
}
