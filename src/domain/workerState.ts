/**
 * What the master knows of one worker: its last beats, checks and syncs, and for each file that is not in sync why
 * (the seeds' rows `<node> <file> <state>`; a file without a row is in sync).
 */

import type { SyncPlan } from './syncPlan.js'
import type { FileFailure } from './tree.js'

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

export class WorkerState {
  lastKeepAliveMs: number | undefined
  clockSkewMs: number | undefined
  lastCheck: Span | undefined
  lastSync: (Span & SyncCounts) | undefined
  /** Of the last check: is the worker's tree ours? */
  inSync = false
  /** A plan is being carried out. */
  isSyncing = false
  failuresLeftOut = 0
  readonly files = new Map<string, FileState>()

  /** The trees are the same: no file has a row. */
  checkedSame(): void {
    this.inSync = true
    this.isSyncing = false
    this.failuresLeftOut = 0
    this.files.clear()
  }

  checkedDifferent(): void {
    this.inSync = false
  }

  planned(plan: SyncPlan): void {
    this.isSyncing = true
    for (const { path } of plan.create) this.files.set(path, { state: 'pending' })
    for (const { path } of plan.update) this.files.set(path, { state: 'pending' })
    for (const path of plan.remove) this.files.set(path, { state: 'pending' })
  }

  /** A plan was carried out, but for `failures`. */
  applied(failures: readonly FileFailure[], leftOut: number): void {
    this.isSyncing = false
    this.files.clear()
    this.failuresLeftOut = leftOut
    for (const { path, code, message } of failures) this.files.set(path, { state: 'failed', error: { code, message } })
  }
}
