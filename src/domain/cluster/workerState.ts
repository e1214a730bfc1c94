/**
 * What the master knows of one worker: its last beats, checks and syncs, and for each file that is not in sync why
 * (the seeds' rows `<node> <file> <state>`; a file without a row is in sync).
 */

import { limits } from '../../base/limits.js'
import type { IntegrityState } from '../files/integrityState.js'
import { isEmptyPlan, type SyncPlan } from '../files/syncPlan.js'
import type { FileFailure } from '../files/treeValues.js'

export interface Span {
  readonly startMs: number
  readonly endMs: number
}

export interface FileState {
  readonly state: 'pending' | 'failed'
  readonly error?: { readonly code: string; readonly message: string }
}

export interface SyncCounts {
  readonly shared: number
  readonly missing: number
  readonly extra: number
}

const pending: FileState = { state: 'pending' }

export class WorkerState {
  lastKeepAliveMs: number | undefined
  clockSkewMs: number | undefined
  lastCheck: Span | undefined
  lastSync: (Span & SyncCounts) | undefined
  lastAgentInfo: (Span & { readonly chunks: number }) | undefined
  lastAgentGroups: (Span & { readonly chunks: number }) | undefined
  lastAgentGroupsFull: (Span & { readonly chunks: number }) | undefined
  /** A round of agent info is under way. */
  isReportingAgents = false
  /** Reports about agents that do not exist, dropped since the worker connected. */
  unknownAgentReports = 0
  /** Where the worker's integrity thread is: by what it asks for, and by its keep-alives. */
  integrity: IntegrityState = 'resting'
  /** A plan is being carried out. */
  isSyncing = false
  failuresLeftOut = 0
  #files = new Map<string, FileState>()
  /** Differing buckets, or parts of these, that are not decided yet in this round; all of them before anything was compared. */
  #undecided = Number.POSITIVE_INFINITY
  #refusal: FileState['error']
  /** Of the paths that the plan deletes. */
  #removalChars = 0

  /**
   * At most limits.pendingFilesShownMax, and limits.pendingRemovalCharsMax: which files a worker has to delete is for the worker to
   * say, and it may lie. A row is
   * never changed, and a new plan has a new map: who reads one slowly reads what was true together.
   */
  get files(): ReadonlyMap<string, FileState> {
    return this.#files
  }

  /** Every file was compared: those without a row are in sync, but for files that we cannot read ourselves. */
  get isCompared(): boolean {
    return this.#undecided <= 0
  }

  /** Why its files are not compared at all. */
  get refusal(): FileState['error'] {
    return this.#refusal
  }

  get inSync(): boolean {
    return this.isCompared && this.files.size === 0 && this.failuresLeftOut === 0
  }

  /** A check was refused. */
  refused(code: string, message: string): void {
    this.checkedDifferent()
    this.integrity = 'resting'
    this.#refusal = { code, message }
  }

  /** The trees are the same: no file has a row. */
  checkedSame(): void {
    this.#refusal = undefined
    this.integrity = 'resting'
    this.isSyncing = false
    this.#undecided = 0
    this.failuresLeftOut = 0
    this.#files = new Map()
  }

  /** A round that was under way has come to nothing; the rows stay until this one has its plan. */
  checkedDifferent(): void {
    this.#refusal = undefined
    this.integrity = 'planning'
    this.isSyncing = false
    this.#undecided = Number.POSITIVE_INFINITY
  }

  /** Begins a new plan. */
  differsIn(buckets: number): void {
    this.#undecided = buckets
    if (this.isCompared) this.integrity = 'resting'
    this.#removalChars = 0
    this.failuresLeftOut = 0
    this.#files = new Map()
  }

  /** Of some differing buckets these parts differ. */
  differsInParts(buckets: number, parts: number): void {
    this.#undecided += parts - buckets
  }

  /** What was decided about some of the differing buckets or parts. */
  planned(plan: SyncPlan, decided: number): void {
    this.#undecided -= decided
    if (!isEmptyPlan(plan)) this.isSyncing = true
    if (this.isCompared) this.integrity = this.isSyncing ? 'transferring' : 'resting'
    for (const { path } of plan.create) this.#expect(path)
    for (const { path } of plan.update) this.#expect(path)
    for (const path of plan.remove) this.#expectRemoval(path)
  }

  /** What has changed was sent to the worker: if its tree was the same until now, this is what it has to do. */
  announced(paths: readonly string[]): void {
    if (!this.inSync || paths.length === 0) return
    this.isSyncing = true
    this.integrity = 'transferring'
    this.#files = new Map()
    for (const path of paths) this.#expect(path)
  }

  /** A plan was carried out, but for `failures`. */
  applied(failures: readonly FileFailure[], leftOut: number): void {
    this.isSyncing = false
    this.integrity = 'resting'
    this.#files = new Map()
    this.failuresLeftOut = leftOut
    for (const { path, code, message } of failures) this.#files.set(path, { state: 'failed', error: { code, message } })
  }

  #expect(path: string): void {
    if (this.files.size < limits.pendingFilesShownMax) this.#files.set(path, pending)
  }

  #expectRemoval(path: string): void {
    this.#removalChars += path.length
    if (this.#removalChars <= limits.pendingRemovalCharsMax) this.#expect(path)
  }
}
