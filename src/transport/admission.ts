/**
 * How many may try to get in at the same time. Over the cap, and over one address's share of it, one goes that has not got in yet:
 * first of the strangers that have proven nothing, then of the addresses that had a session before, last of those that have
 * proven the key and only owe their hello. Which of them is left to chance: then no rate of connections keeps a worker out
 * for certain, as it would if the oldest went.
 */

import { limits as allLimits } from '../base/limits.js'
import { addressPrefix } from '../domain/cluster/addressPrefix.js'
import type { Random } from '../ports/machine.js'
import { PickSet } from './pickSet.js'

export interface AdmissionLimits {
  readonly unauthenticatedConnectionsMax: number
  readonly unauthenticatedPerAddressMax: number
}

/** Something that waits to be let in, and can be sent away. */
export interface PendingPeer {
  readonly address: string
  /** Is out already when this is called. */
  evict(): void
}

/** Of all places, and one address of these. The rest of the descriptors is for files, the table, threads and links. */
const share = 4
const placesMin = 16

/** As many places as a process with this limit of open files can afford. */
export const admissionLimits = (descriptorsMax: number): AdmissionLimits => {
  const places = Math.max(placesMin, Math.min(allLimits.unauthenticatedConnectionsMax, Math.floor(descriptorsMax / share)))
  return { unauthenticatedConnectionsMax: places, unauthenticatedPerAddressMax: Math.floor(places / share) }
}

class Waiting {
  readonly all = new PickSet<PendingPeer>()
  readonly #byPrefix = new Map<string, PickSet<PendingPeer>>()

  of(prefix: string): PickSet<PendingPeer> | undefined {
    return this.#byPrefix.get(prefix)
  }

  add(prefix: string, pending: PendingPeer): void {
    this.all.add(pending)
    const neighbours = this.#byPrefix.get(prefix) ?? new PickSet()
    neighbours.add(pending)
    this.#byPrefix.set(prefix, neighbours)
  }

  delete(prefix: string, pending: PendingPeer): void {
    this.all.delete(pending)
    const neighbours = this.#byPrefix.get(prefix)
    neighbours?.delete(pending)
    if (neighbours?.size === 0) this.#byPrefix.delete(prefix)
  }
}

export class Admission {
  readonly #limits: AdmissionLimits
  readonly #random: Random
  readonly #strangers = new Waiting()
  readonly #acquaintances = new Waiting()
  readonly #proven = new Waiting()
  /** In the order in which they are sent away. */
  readonly #kinds = [this.#strangers, this.#acquaintances, this.#proven]
  readonly #places = new Map<PendingPeer, { readonly kind: Waiting; readonly prefix: string }>()
  /** Prefixes of addresses that had a session, the one that had it longest ago first. */
  readonly #known = new Set<string>()

  constructor(limits: AdmissionLimits, random: Random) {
    this.#limits = limits
    this.#random = random
  }

  get size(): number {
    return this.#places.size
  }

  enter(pending: PendingPeer): void {
    const prefix = addressPrefix(pending.address)
    const kind = this.#known.has(prefix) ? this.#acquaintances : this.#strangers
    this.#makeRoom(kind.of(prefix), this.#limits.unauthenticatedPerAddressMax)
    if (this.size >= this.#limits.unauthenticatedConnectionsMax) this.#evictOneOf(this.#crowdedKind().all)
    this.#put(pending, kind, prefix)
  }

  /** Has proven the key, which a stranger cannot. */
  prove(pending: PendingPeer): void {
    const place = this.#places.get(pending)
    if (!place) return
    const { prefix } = place
    this.leave(pending)
    this.#makeRoom(this.#proven.of(prefix), this.#limits.unauthenticatedPerAddressMax)
    this.#put(pending, this.#proven, prefix)
  }

  /** Let in, refused or gone; again is harmless. */
  leave(pending: PendingPeer): void {
    const place = this.#places.get(pending)
    if (!place) return
    this.#places.delete(pending)
    place.kind.delete(place.prefix, pending)
  }

  /** The address has a session now: its next connections are preferred. */
  remember(address: string): void {
    const prefix = addressPrefix(address)
    this.#known.delete(prefix)
    this.#known.add(prefix)
    const [oldest] = this.#known
    if (oldest !== undefined && this.#known.size > allLimits.addressesKnownMax) this.#known.delete(oldest)
  }

  /** Closes all pending connections: the listener is gone. */
  close(): void {
    for (const pending of [...this.#places.keys()]) this.#evict(pending)
  }

  #put(pending: PendingPeer, kind: Waiting, prefix: string): void {
    this.#places.set(pending, { kind, prefix })
    kind.add(prefix, pending)
  }

  #makeRoom(among: PickSet<PendingPeer> | undefined, placesMax: number): void {
    if (among && among.size >= placesMax) this.#evictOneOf(among)
  }

  /** The first kind that has more than a quarter of the places: none can take all of them from the others. */
  #crowdedKind(): Waiting {
    const kept = Math.floor(this.#limits.unauthenticatedConnectionsMax / share)
    return this.#kinds.find(({ all }) => all.size > kept) ?? this.#strangers
  }

  #evictOneOf(among: PickSet<PendingPeer>): void {
    const chosen = among.pick(this.#random.fraction())
    if (chosen) this.#evict(chosen)
  }

  #evict(pending: PendingPeer): void {
    this.leave(pending)
    pending.evict()
  }
}
