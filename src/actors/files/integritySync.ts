/**
 * The worker's steps of one integrity round, each one exchange or one act: ask whether the trees differ, let the master
 * decide, fetch what is missing, apply, report. The thread (threads/integrity.ts) says when; domain/files/syncPlan says what.
 */

import { ClusterError, type Result } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { type ChangeNotice, isAnnouncedFor, planOfNotice } from '../../domain/files/changeNotice.js'
import { type Arrival, type Compression, choosesCompression, unknownSpeeds, withTransfer } from '../../domain/files/compressionChoice.js'
import { joinDigests, joinPaths } from '../../domain/files/entryColumns.js'
import { sameDigest } from '../../domain/files/manifest.js'
import { askAbout, isEmptyPlan, joinPlans, readAnswer, type SyncPlan, writeStepsOf } from '../../domain/files/syncPlan.js'
import type { Digest, FileFailure, WriteStep } from '../../domain/files/treeValues.js'
import type { Link } from '../../ports/link.js'
import type { Clock } from '../../ports/machine.js'
import { contentBytesIn } from '../../wire/muster/contentBlock.js'
import { type DeltaFile, deltaCapability, deltaFilesOf, transferDelta } from './deltaTransfer.js'
import { explainedRefusal } from './itemsRefusal.js'
import type { LocalTree } from './localTree.js'

/** Of a build that announces what changed, and compares the root that a report ends with. */
export const changesCapability = 'changes'

export interface IntegritySyncOptions {
  readonly tree: LocalTree
  readonly clock: Clock
  readonly requestTimeoutMs: number
  readonly compression: Compression
}

export interface Transferred {
  readonly steps: readonly WriteStep[]
  readonly failures: readonly FileFailure[]
}

export interface Outcome {
  readonly created: number
  readonly updated: number
  readonly removed: number
  readonly failures: readonly FileFailure[]
  /** Paths of what changed on this node itself and is undone. */
  readonly undone: ReadonlySet<string>
}

/** Blocks that may wait to be staged while the next ones come in. */
const stagingBlocksMax = limits.contentBlocksPerTaskMax

/** What a block counts for at least: there need not be an end to empty ones either. */
const blockBytesMin = 1_024

/** Blocks of one transfer that are looked at to know the wire. */
const arrivalsMax = 256

/** Contents that are not tried as a delta again; when they are more, all are. */
const spoiledDeltasMax = 64

type Failure = Omit<FileFailure, 'path'>
type Failures = Map<Digest, Failure>

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

export class IntegritySync {
  readonly #options: IntegritySyncOptions
  #speeds = unknownSpeeds
  /** Digests of contents that did not come out of a delta. */
  readonly #spoiledDeltas = new Set<Digest>()
  #refusal: { readonly link: Link; readonly error: ClusterError } | undefined
  /** The link over which the master answered a check, so that both nodes have the same items. */
  #agreedOver: Link | undefined
  /** The last change that the master announced, until it is used. */
  #announced: { readonly link: Link; readonly notice: ChangeNotice } | undefined

  constructor(options: IntegritySyncOptions) {
    this.#options = options
  }

  /** The master says that its tree has changed. */
  announce(link: Link, notice: ChangeNotice): void {
    this.#announced = { link, notice }
  }

  /** Is our tree the master's? After an announced change the master need not be asked. */
  async check(link: Link, signal: AbortSignal): Promise<boolean> {
    const { tree } = this.#options
    await tree.known(signal)
    if (this.#usableNotice(link)) return false
    this.#announced = undefined
    try {
      const question = { root: tree.manifest.root(), items: tree.itemsDigest, files: tree.manifest.files }
      const { same } = await link.request('integrity.check', question, this.#limits(signal))
      this.#agreedOver = link
      if (same) tree.isMasters(question.root)
      return same
    } catch (thrown) {
      if (!(thrown instanceof ClusterError) || thrown.code !== 'itemsDiffer') throw thrown
      // Neither side's items change while the connection lasts.
      if (this.#refusal?.link !== link)
        this.#refusal = { link, error: await explainedRefusal(tree.synced, link, thrown, this.#limits(signal)) }
      throw this.#refusal.error
    }
  }

  /** What we have to do: as announced, or as the master decides. */
  async plan(link: Link, signal: AbortSignal): Promise<SyncPlan> {
    const { manifest, synced } = this.#options.tree
    const notice = this.#usableNotice(link)
    this.#announced = undefined
    if (notice) return unwrap(planOfNotice(notice, manifest, synced))
    const plan = await this.#compare(link, signal)
    if (!isEmptyPlan(plan)) await this.#reportStart(link, plan, signal)
    return plan
  }

  /** The master's last announcement, when our tree is one that it is for. */
  #usableNotice(link: Link): ChangeNotice | undefined {
    const announced = this.#announced
    if (announced?.link !== link || this.#agreedOver !== link) return undefined
    const root = this.#options.tree.manifest.root()
    return isAnnouncedFor(announced.notice, root) && !sameDigest(announced.notice.root, root) ? announced.notice : undefined
  }

  async #compare(link: Link, signal: AbortSignal): Promise<SyncPlan> {
    const { manifest, synced } = this.#options.tree
    const { differing } = await link.request(
      'integrity.buckets',
      { digests: Uint8Array.from(manifest.bucketDigests()) },
      this.#limits(signal),
    )
    const plans: SyncPlan[] = []
    let open = [...new Set(differing)]
    while (open.length > 0) {
      const question = unwrap(askAbout(manifest, open))
      const answer = await link.request(
        'integrity.compare',
        { buckets: [...question.buckets], counts: [...question.counts], entries: question.entries },
        this.#limits(signal),
      )
      if (answer.decided < 1 || answer.decided > question.buckets.length)
        throw new ClusterError('malformed', { message: 'The master decided on more or fewer buckets than it was asked about' })
      plans.push(unwrap(readAnswer(answer, synced)))
      open = open.slice(answer.decided)
    }
    return joinPlans(plans)
  }

  async #reportStart(link: Link, plan: SyncPlan, signal: AbortSignal): Promise<void> {
    const counts = { created: plan.create.length, updated: plan.update.length, removed: plan.remove.length }
    await link.request(
      'integrity.report',
      { phase: 'started', ...counts, failures: [], failuresLeftOut: 0, tookMs: 0 },
      this.#limits(signal),
    )
  }

  /** Fetches the content that is neither in the tree nor staged. Resolves when all that can be had is staged and proven. */
  async transfer(link: Link, plan: SyncPlan, signal: AbortSignal): Promise<Transferred> {
    const steps = writeStepsOf(plan, this.#options.tree.manifest)
    const sizes = new Map([...plan.create, ...plan.update].map(({ digest, size }) => [digest, size]))
    const wantedBy = new Map<Digest, string>()
    for (const step of steps) if (step.from.kind === 'stage' && !wantedBy.has(step.digest)) wantedBy.set(step.digest, step.path)
    // Directory by directory: the master then looks once, not for each file, whether a directory is within its item.
    const digests = [...wantedBy].sort(([, a], [, b]) => (a < b ? -1 : 1)).map(([digest]) => digest)
    const failed: Failures = new Map()
    let room = Math.min(limits.planBytesMax, (await this.#options.tree.files.freeBytes(signal)) - limits.diskReserveBytes)
    const { manifest } = this.#options.tree
    const deltas = link.peer.capabilities.includes(deltaCapability) ? deltaFilesOf(plan, (path) => manifest.get(path)?.size) : undefined
    for (let start = 0; start < digests.length; start += limits.stagedDigestsMax) {
      const some = digests.slice(start, start + limits.stagedDigestsMax)
      const offsets = await this.#options.tree.files.staged(some, signal)
      const wanted = some.map((digest, index): Wanted => {
        const [size, offset] = [sizes.get(digest) ?? 0, offsets[index] ?? 0]
        // What is staged of more than there is was never the content.
        return { path: wantedBy.get(digest) ?? '', digest, size, offset: offset > size ? 0 : offset }
      })
      const whole: Wanted[] = []
      for (const file of wanted) {
        // A size is what the master says; a file for which there is no room leaves the others theirs.
        if (file.size - file.offset > room) {
          failed.set(file.digest, { code: 'diskFull', message: noRoom })
          continue
        }
        room -= file.size - file.offset
        const delta = file.offset === 0 ? deltas?.get(file.digest) : undefined
        if (!delta || !(await this.#patch(link, delta, failed, signal))) whole.push(file)
      }
      for (const batch of batchesOf(whole)) await this.#fetch(link, batch, failed, signal)
    }
    const failures = steps.flatMap((step) => {
      const failure = step.from.kind === 'stage' ? failed.get(step.digest) : undefined
      return failure ? [{ path: step.path, ...failure }] : []
    })
    const failedPaths = new Set(failures.map((failure) => failure.path))
    return { steps: steps.filter((step) => !failedPaths.has(step.path)), failures }
  }

  async apply(plan: SyncPlan, transferred: Transferred, signal: AbortSignal): Promise<Outcome> {
    const { tree } = this.#options
    const applied = await tree.apply({ writes: transferred.steps, removals: plan.remove }, signal)
    const failures = [...transferred.failures, ...applied.failures]
    // What failed may be fetched again and resumed; without failures nothing that is staged is of use any more.
    if (failures.length === 0) await tree.files.clearStage(signal)
    const failed = new Set(failures.map((failure) => failure.path))
    const done = (paths: readonly string[]): number => paths.filter((path) => !failed.has(path)).length
    const [created, updated] = [done(plan.create.map(({ path }) => path)), done(plan.update.map(({ path }) => path))]
    return { created, updated, removed: done(plan.remove), failures, undone: applied.undone }
  }

  /** Whether the master says that our tree is now its own. */
  async report(link: Link, outcome: Outcome, tookMs: number, signal: AbortSignal): Promise<boolean> {
    const { tree } = this.#options
    const root = tree.manifest.root()
    const failures = outcome.failures.slice(0, limits.reportedFailuresMax).map(({ path, code, message }) => ({
      path,
      code: code.slice(0, 64),
      message: message.slice(0, limits.errorMessageCharsMax),
    }))
    const { created, updated, removed } = outcome
    const failuresLeftOut = outcome.failures.length - failures.length
    const report = { phase: 'applied', created, updated, removed, failures, failuresLeftOut, tookMs: Math.round(tookMs) } as const
    const isRootTaken = link.peer.capabilities.includes(changesCapability)
    const { same = false } = await link.request('integrity.report', { ...report, ...(isRootTaken && { root }) }, this.#limits(signal))
    if (same) tree.isMasters(root)
    return same
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
    const stream = link.expectStream()
    const open = new Set(batch.keys())
    const compress = choosesCompression(compression, this.#speeds)
    const stage = async (block: Uint8Array): Promise<void> => {
      const outcome = await tree.files.stage(block, digests, signal)
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
        // Only waiting tells of the wire: what is staged in the meantime does not.
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

const unwrap = <T>(result: Result<T>): T => {
  if (!result.ok) throw result.error
  return result.value
}
