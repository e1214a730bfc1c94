/**
 * Who may try to get in at the same time. Over the cap, and over one address's share of it, the oldest that has not proven
 * itself goes: whoever holds connections without saying anything cannot keep a worker out.
 */
export interface AdmissionLimits {
  readonly unauthenticatedConnectionsMax: number
  readonly unauthenticatedPerAddressMax: number
}

/** Something that waits to be let in, and can be sent away. */
export interface Applicant {
  readonly address: string
  /** Is out already when this is called. */
  evict(): void
}

export class Admission {
  readonly #limits: AdmissionLimits
  // Sets keep the order in which they were filled: the first is the oldest.
  readonly #all = new Set<Applicant>()
  readonly #byAddress = new Map<string, Set<Applicant>>()

  constructor(limits: AdmissionLimits) {
    this.#limits = limits
  }

  get size(): number {
    return this.#all.size
  }

  enter(applicant: Applicant): void {
    const neighbours = this.#byAddress.get(applicant.address) ?? new Set()
    if (neighbours.size >= this.#limits.unauthenticatedPerAddressMax) this.#evictOldest(neighbours)
    if (this.#all.size >= this.#limits.unauthenticatedConnectionsMax) this.#evictOldest(this.#all)
    this.#all.add(applicant)
    // Evicting may have removed the last neighbour and with it the set.
    this.#byAddress.set(applicant.address, neighbours.add(applicant))
  }

  /** Let in, refused or gone; again is harmless. */
  leave(applicant: Applicant): void {
    if (!this.#all.delete(applicant)) return
    const neighbours = this.#byAddress.get(applicant.address)
    neighbours?.delete(applicant)
    if (neighbours?.size === 0) this.#byAddress.delete(applicant.address)
  }

  /** Sends everybody away: nobody listens any more. */
  close(): void {
    for (const applicant of [...this.#all]) {
      this.leave(applicant)
      applicant.evict()
    }
  }

  #evictOldest(among: ReadonlySet<Applicant>): void {
    for (const oldest of among) {
      this.leave(oldest)
      oldest.evict()
      return
    }
  }
}
