/**
 * The worker's steps of one integrity round, each one exchange or one act: ask whether the trees differ, let the master
 * decide, fetch what is missing, apply, report. The thread (threads/integrity.ts) says when; domain/files/syncPlan says what.
 */

import { ClusterError, type Result } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { type ChangeNotice, planOfNotice } from '../../domain/files/changeNotice.js'
import type { IntegrityState } from '../../domain/files/integrityState.js'
import { sameDigest } from '../../domain/files/manifest.js'
import { PlanPortions } from '../../domain/files/planPortions.js'
import { itemOf } from '../../domain/files/syncedItems.js'
import { isEmptyPlan, type SyncPlan } from '../../domain/files/syncPlan.js'
import type { FileFailure, WriteStep } from '../../domain/files/treeValues.js'
import type { Link } from '../../ports/link.js'
import { Turns } from '../kit/turns.js'
import { AnnouncedChange, appliedCapability, changesCapability } from './announcedChange.js'
import { ContentTransfer, type ContentTransferOptions, type Transferred as TransferredPortion } from './contentTransfer.js'
import { explainedRefusal } from './itemsRefusal.js'
import type { ApplyPortion } from './localTree.js'
import { compareTrees } from './treeComparison.js'

/** Such a master takes what is only for its figures. */
export const figuresCapability = 'figures'

export interface IntegritySyncOptions extends ContentTransferOptions {
  /** limits.planPortionFilesMax when left out. */
  readonly portionFilesMax?: number
}

/** What is left to be applied; nothing of a plan that was carried out in portions. */
export interface Transferred extends TransferredPortion {
  readonly undone: ReadonlySet<string>
  readonly isCarriedOut: boolean
}

export interface Outcome {
  readonly created: number
  readonly updated: number
  readonly removed: number
  readonly failures: readonly FileFailure[]
  /** Paths of what changed on this node itself and is undone. */
  readonly undone: ReadonlySet<string>
  /** Files changed that the manager has to read again, in this round or in one before it that did not come to its end. */
  readonly reload: boolean
}

export class IntegritySync {
  /** Of the thread that runs these steps, as its machine says. */
  state: IntegrityState = 'resting'
  readonly #options: IntegritySyncOptions
  readonly #content: ContentTransfer
  readonly #portionFilesMax: number
  #refusal: { readonly link: Link; readonly error: ClusterError } | undefined
  readonly #announced = new AnnouncedChange()
  /** The change that is carried out, when it was announced: its content may have come with it. */
  #notice: ChangeNotice | undefined
  #reload = false

  constructor(options: IntegritySyncOptions) {
    this.#options = options
    this.#content = new ContentTransfer(options)
    this.#portionFilesMax = options.portionFilesMax ?? limits.planPortionFilesMax
  }

  /** The master says that its tree has changed. */
  announce(link: Link, notice: ChangeNotice): void {
    this.#announced.note(link, notice)
  }

  /** Is our tree the master's? After an announced change the master need not be asked. */
  async check(link: Link, signal: AbortSignal): Promise<boolean> {
    const { tree } = this.#options
    await tree.known(signal)
    if (this.#announced.for(link, tree.manifest.root())) return false
    this.#announced.forget()
    try {
      const question = { root: tree.manifest.root(), items: tree.itemsDigest, files: tree.manifest.files }
      const { same } = await link.request('integrity.check', question, this.#limits(signal))
      this.#announced.agreed(link)
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
    const notice = this.#announced.for(link, manifest.root())
    this.#announced.forget()
    this.#notice = notice
    if (notice) return unwrap(planOfNotice(notice, manifest, synced))
    const plan = await compareTrees(link, this.#options.tree, this.#limits(signal))
    if (!isEmptyPlan(plan)) await this.#reportStart(link, plan, signal)
    return plan
  }

  async #reportStart(link: Link, plan: SyncPlan, signal: AbortSignal): Promise<void> {
    const counts = { created: plan.create.length, updated: plan.update.length, removed: plan.remove.length }
    await link.request(
      'integrity.report',
      { phase: 'started', ...counts, failures: [], failuresLeftOut: 0, tookMs: 0 },
      this.#limits(signal),
    )
  }

  /**
   * Brings the content that is neither in the tree nor staged. Resolves when all that can be had is staged and proven. A plan of more
   * than limits.planPortionFilesMax files is carried out here, portion by portion: each is applied while the next one is brought.
   */
  async transfer(link: Link, plan: SyncPlan, signal: AbortSignal): Promise<Transferred> {
    const writes = plan.create.length + plan.update.length
    if (Math.max(writes, plan.remove.length) > this.#portionFilesMax)
      return this.#options.tree.inPortions(signal, (apply) => this.#carryOut(link, plan, apply, signal))
    const transfer = await this.#content.begin(link, plan, new Turns(this.#options.clock, signal))
    const entries = [...plan.create, ...plan.update]
    if (this.#notice) await this.#content.take(transfer, this.#notice, entries, signal)
    const brought = await this.#content.bring(transfer, entries, signal)
    return { ...brought, undone: new Set(), isCarriedOut: false }
  }

  async apply(plan: SyncPlan, transferred: Transferred, signal: AbortSignal): Promise<Outcome> {
    const { tree } = this.#options
    const failures = [...transferred.failures]
    const undone = new Set(transferred.undone)
    if (!transferred.isCarriedOut)
      await tree.inPortions(signal, (apply) => this.#apply(apply, { writes: transferred.steps, removals: plan.remove }, failures, undone))
    // What failed may be fetched again and resumed; without failures nothing that is staged is of use any more.
    if (failures.length === 0) await tree.files.clearStage(signal)
    const failed = new Set(failures.map((failure) => failure.path))
    const turns = new Turns(this.#options.clock, signal)
    const created = await doneOf(plan.create, pathOf, failed, turns)
    const updated = await doneOf(plan.update, pathOf, failed, turns)
    const removed = await doneOf(plan.remove, (path) => path, failed, turns)
    const reload = this.#reload
    this.#reload = false
    return { created, updated, removed, failures, undone, reload }
  }

  /** Whether our tree is now the master's: as it was announced, or as the master says. */
  async report(link: Link, outcome: Outcome, tookMs: number, signal: AbortSignal): Promise<boolean> {
    const { tree } = this.#options
    const { capabilities } = link.peer
    const root = tree.manifest.root()
    const done = { created: outcome.created, updated: outcome.updated, removed: outcome.removed, tookMs: Math.round(tookMs) }
    const { diskWrites } = this.#content
    const optional = diskWrites && { diskWrites }
    const isAsAnnounced = outcome.failures.length === 0 && this.#notice !== undefined && sameDigest(this.#notice.root, root)
    if (isAsAnnounced && capabilities.includes(appliedCapability)) {
      link.notify('integrity.applied', { root, ...done, undone: outcome.undone.size, ...optional })
      tree.isMasters(root)
      return true
    }
    const failures = outcome.failures.slice(0, limits.reportedFailuresMax).map(({ path, code, message }) => ({
      path,
      code: code.slice(0, 64),
      message: message.slice(0, limits.errorMessageCharsMax),
    }))
    const failuresLeftOut = outcome.failures.length - failures.length
    const { same = false } = await link.request(
      'integrity.report',
      {
        ...{ phase: 'applied', ...done, failures, failuresLeftOut, ...optional },
        ...(capabilities.includes(changesCapability) && { root }),
        ...(capabilities.includes(figuresCapability) && { undone: outcome.undone.size }),
      },
      this.#limits(signal),
    )
    if (same) tree.isMasters(root)
    return same
  }

  async #carryOut(link: Link, plan: SyncPlan, apply: ApplyPortion, signal: AbortSignal): Promise<Transferred> {
    const turns = new Turns(this.#options.clock, signal)
    const portions = new PlanPortions(plan)
    for (let index = 0; index < portions.writes; index++) {
      portions.add(index)
      if (turns.isOver()) await turns.next()
    }
    const inTheWay: string[] = []
    const last: string[] = []
    for (const path of plan.remove) {
      if (portions.isInTheWay(path)) inTheWay.push(path)
      else last.push(path)
      if (turns.isOver()) await turns.next()
    }
    const failures: FileFailure[] = []
    const undone = new Set<string>()
    const remove = async (paths: readonly string[]): Promise<void> => {
      for (const removals of slicesOf(paths, this.#portionFilesMax)) await this.#apply(apply, { writes: [], removals }, failures, undone)
    }
    const transfer = await this.#content.begin(link, plan, turns)
    let writing: readonly WriteStep[] = []
    let written = Promise.resolve()
    try {
      for (const entries of portions.ofAtMost(Math.ceil(this.#portionFilesMax / 2))) {
        // While the portion before is written: together they are what may be staged.
        const brought = await this.#content.bring(transfer, entries, signal, writing)
        await written
        failures.push(...brought.failures)
        await remove(inTheWay.splice(0))
        writing = brought.steps
        written = this.#apply(apply, { writes: writing, removals: [] }, failures, undone)
        // It is thrown where it is waited for.
        written.catch(() => undefined)
        await turns.next()
      }
    } finally {
      // What has begun is finished before anything else is done with the tree.
      await written.catch(() => undefined)
    }
    await written
    await remove(last)
    return { steps: [], failures, undone, isCarriedOut: true }
  }

  async #apply(
    apply: ApplyPortion,
    portion: { readonly writes: readonly WriteStep[]; readonly removals: readonly string[] },
    failures: FileFailure[],
    undone: Set<string>,
  ): Promise<void> {
    const applied = await apply(portion)
    failures.push(...applied.failures)
    for (const path of applied.undone) undone.add(path)
    const { synced } = this.#options.tree
    const isReloaded = (path: string): boolean => itemOf(synced, path)?.reload === true
    this.#reload ||= applied.removals.some(isReloaded) || applied.upserts.some(({ path }) => isReloaded(path))
  }

  #limits(signal: AbortSignal): { signal: AbortSignal; timeoutMs: number } {
    return { signal, timeoutMs: this.#options.requestTimeoutMs }
  }
}

const pathOf = ({ path }: { readonly path: string }): string => path

/** How many of the steps did not fail. */
const doneOf = async <T>(
  steps: Iterable<T> & { readonly length: number },
  path: (step: T) => string,
  failed: ReadonlySet<string>,
  turns: Turns,
): Promise<number> => {
  let done = steps.length
  if (failed.size === 0) return done
  for (const step of steps) {
    if (failed.has(path(step))) done -= 1
    if (turns.isOver()) await turns.next()
  }
  return done
}

function* slicesOf(paths: readonly string[], length: number): Generator<readonly string[]> {
  for (let start = 0; start < paths.length; start += length) yield paths.slice(start, start + length)
}

const unwrap = <T>(result: Result<T>): T => {
  if (!result.ok) throw result.error
  return result.value
}
