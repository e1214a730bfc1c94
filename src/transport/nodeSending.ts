/** What waits to be sent over all links of a node: when it is too much, the peer goes for which the most of it waits. */
import { ClusterError } from '../base/errors.js'

export interface QueueOwner {
  readonly queuedBytes: number
  /** Lets go of all that waits. */
  drop(error: ClusterError): void
}

export class NodeSending {
  readonly #bytesMax: number
  readonly #owners = new Set<QueueOwner>()
  #bytes = 0

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax
  }

  get queuedBytes(): number {
    return this.#bytes
  }

  enter(owner: QueueOwner): void {
    this.#owners.add(owner)
  }

  leave(owner: QueueOwner): void {
    this.#owners.delete(owner)
  }

  /** This many bytes more, or fewer, wait. */
  changed(bytes: number): void {
    this.#bytes += bytes
    if (bytes > 0 && this.#bytes > this.#bytesMax) this.#dropLargest()
  }

  #dropLargest(): void {
    let largest: QueueOwner | undefined
    for (const owner of this.#owners) if (!largest || owner.queuedBytes > largest.queuedBytes) largest = owner
    largest?.drop(
      new ClusterError('overloaded', { message: 'Too many bytes are queued for all peers together, and most of them for this one' }),
    )
  }
}
