/**
 * What both ends do when the synced items of a worker are not the master's: the check is refused, then both send each other their
 * items, so that both logs and cluster_control can say in what they differ.
 */

import { ClusterError } from '../../base/errors.js'
import type { WorkerState } from '../../domain/cluster/workerState.js'
import { decodeItems, encodeItems, itemsDifferences, itemsDifferSentence, tooManyItems } from '../../domain/files/itemsDifference.js'
import type { SyncedItems } from '../../domain/files/syncedItems.js'
import type { Link, RequestOptions } from '../../ports/link.js'
import type { Log } from '../../ports/machine.js'

/** Of a build that knows `integrity.items`. */
export const itemsCapability = 'items'

/** The worker's end: what the refusal of its check means. A master of an older build says no more than that they differ. */
export const explainedRefusal = async (
  synced: SyncedItems,
  link: Link,
  refusal: ClusterError,
  options: RequestOptions,
): Promise<ClusterError> => {
  if (!link.peer.capabilities.includes(itemsCapability)) return refusal
  const { items } = await link.request('integrity.items', { items: encodeItems(synced) }, options)
  const differences =
    items.byteLength === 0
      ? [tooManyItems('the master')]
      : itemsDifferences(synced, read(items), { ours: 'on this node', theirs: 'on the master' })
  return new ClusterError(refusal.code, { message: itemsDifferSentence('this node', differences) })
}

const read = (items: Uint8Array): SyncedItems => {
  const decoded = decodeItems(items)
  if (!decoded.ok) throw decoded.error
  return decoded.value
}

/** The master's end, for one connection. */
export class ItemsRefusals {
  readonly #synced: SyncedItems
  readonly #link: Link
  readonly #state: WorkerState
  readonly #log: Log
  #refusals = 0
  #isLogged = false
  #message: string

  constructor(synced: SyncedItems, link: Link, state: WorkerState, log: Log) {
    this.#synced = synced
    this.#link = link
    this.#state = state
    this.#log = log
    this.#message = itemsDifferSentence(link.peer.node, [])
  }

  /** A check is refused. The log waits for the items of a worker that is about to send them. */
  refuse(): ClusterError {
    this.#refusals += 1
    this.#state.refused('itemsDiffer', this.#message)
    if (this.#refusals > 1 || !this.#link.peer.capabilities.includes(itemsCapability)) this.#warn()
    return new ClusterError('itemsDiffer')
  }

  /** The worker's items came; the first ones of a connection count. Returns the master's. */
  compare(items: Uint8Array): Uint8Array {
    const { node } = this.#link.peer
    if (!this.#isLogged && this.#refusals > 0) {
      const differences =
        items.byteLength === 0
          ? [tooManyItems(node)]
          : itemsDifferences(read(items), this.#synced, { ours: `on ${node}`, theirs: 'on the master' })
      this.#message = itemsDifferSentence(node, differences)
      this.#state.refused('itemsDiffer', this.#message)
      this.#warn()
    }
    return encodeItems(this.#synced)
  }

  #warn(): void {
    if (!this.#isLogged) this.#log.warning(this.#message)
    this.#isLogged = true
  }
}
