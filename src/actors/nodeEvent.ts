/** What happens at a node, for programs that embed one. */

import type { ClusterError } from '../base/errors.js'
import type { Outcome } from './files/integritySync.js'

export type NodeEvent =
  | { readonly type: 'listening'; readonly address: string; readonly port: number }
  /** The listener of agents, the enrolment service and the HTTP service, at each start. */
  | { readonly type: 'listenerStarted'; readonly port: number }
  | { readonly type: 'enrolmentStarted'; readonly port: number }
  | { readonly type: 'apiStarted'; readonly port: number }
  | { readonly type: 'workerJoined'; readonly node: string }
  | { readonly type: 'workerLeft'; readonly node: string; readonly error: ClusterError }
  | { readonly type: 'connected'; readonly master: string }
  | { readonly type: 'disconnected'; readonly error: ClusterError }
  /** Of the dials that failed since the worker was connected, those that the log has a line of: a new reason, and one a minute. */
  | { readonly type: 'dialFailed'; readonly error: ClusterError; readonly attempts: number }
  /** A plan was applied; `reload` when it changed files that the manager has to read again: `reloadWanted` comes when that is left to the program. */
  | {
      readonly type: 'applied'
      readonly created: number
      readonly updated: number
      readonly removed: number
      readonly failed: number
      readonly reload: boolean
    }
  /** The manager has to be made to read its files again, which the node cannot do itself: where no real manager can be asked for it. */
  | { readonly type: 'reloadWanted' }
  | { readonly type: 'failed'; readonly error: ClusterError }

export const appliedEvent = ({ created, failures, reload, removed, updated }: Outcome): NodeEvent => ({
  type: 'applied',
  created,
  updated,
  removed,
  failed: failures.length,
  reload,
})
