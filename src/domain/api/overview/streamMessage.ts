/** What the event stream of a node's HTTP service says, to the page and to any other client. */
import type { ClusterEvent, NodeOverview } from '../../queries/clusterAnswer.js'

/** All rows, as one node knows them: a worker says what its master says. */
export interface Overview {
  readonly cluster: string
  /** The node that answers. */
  readonly node: string
  readonly type: 'master' | 'worker'
  /** By its own clock. */
  readonly nowMs: number
  readonly nodes: readonly NodeOverview[]
}

/** `kind` is the event's name on the wire, the rest its data. */
export type StreamMessage =
  | { readonly kind: 'overview'; readonly overview: Overview }
  | { readonly kind: 'event'; readonly event: ClusterEvent }
  /** The node cannot say now; the next overview ends it. */
  | { readonly kind: 'problem'; readonly code: string; readonly message: string }
  /** Nothing has changed. */
  | { readonly kind: 'alive'; readonly nowMs: number }
