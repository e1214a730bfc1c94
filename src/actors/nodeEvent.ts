/** What happens at a node, for programs that embed one. */

import type { ClusterError } from '../base/errors.js'
import { itemOf, type SyncedItems } from '../domain/files/syncedItems.js'
import type { SyncPlan } from '../domain/files/syncPlan.js'
import type { Outcome } from './files/integritySync.js'

export type NodeEvent =
  | { readonly type: 'listening'; readonly address: string; readonly port: number }
  | { readonly type: 'workerJoined'; readonly node: string }
  | { readonly type: 'workerLeft'; readonly node: string; readonly error: ClusterError }
  | { readonly type: 'connected'; readonly master: string }
  | { readonly type: 'disconnected'; readonly error: ClusterError }
  /** Of the dials that failed since the worker was connected, those that the log has a line of: a new reason, and one a minute. */
  | { readonly type: 'dialFailed'; readonly error: ClusterError; readonly attempts: number }
  /** A plan was applied; `reload` when it changed files that the manager has to read again. */
  | {
      readonly type: 'applied'
      readonly created: number
      readonly updated: number
      readonly removed: number
      readonly failed: number
      readonly reload: boolean
    }
  | { readonly type: 'failed'; readonly error: ClusterError }

export const appliedEvent = (synced: SyncedItems, plan: SyncPlan, outcome: Outcome): NodeEvent => {
  const failed = new Set(outcome.failures.map((failure) => failure.path))
  const changed = [...plan.create.map((entry) => entry.path), ...plan.update.map((entry) => entry.path), ...plan.remove].filter(
    (path) => !failed.has(path),
  )
  const reload = changed.some((path) => itemOf(synced, path)?.reload === true)
  return {
    type: 'applied',
    created: outcome.created,
    updated: outcome.updated,
    removed: outcome.removed,
    failed: outcome.failures.length,
    reload,
  }
}
