/**
 * The rounds of one kind that the master serves one worker: each is several requests, with counts of what they brought. The worker
 * decides when a round begins and ends, so it may leave one unfinished, or end one that never began.
 */

/** Milliseconds since 1970, by the master's clock. */
export interface Span {
  readonly startMs: number
  readonly endMs: number
}

export type Counts<Key extends string> = Readonly<Record<Key, number>>

export class ServedRounds<Key extends string = never> {
  readonly #nothing: Counts<Key>
  #startMs: number | undefined
  #counts: Counts<Key>
  #last: (Span & Counts<Key>) | undefined

  /** `nothing`: the counts at the beginning of a round. */
  constructor(nothing: Counts<Key>) {
    this.#nothing = nothing
    this.#counts = nothing
  }

  get isUnderWay(): boolean {
    return this.#startMs !== undefined
  }

  /** The last round that was finished. */
  get last(): (Span & Counts<Key>) | undefined {
    return this.#last
  }

  /** A round that was under way counts for nothing. */
  begin(nowMs: number): void {
    this.drop()
    this.#startMs = nowMs
  }

  add(more: Partial<Counts<Key>>): void {
    const counts: Record<Key, number> = { ...this.#counts }
    for (const key of Object.keys(counts) as Key[]) counts[key] += more[key] ?? 0
    this.#counts = counts
  }

  /** A round whose beginning was not seen began `tookMs` before. */
  end(nowMs: number, tookMs = 0): Span & Counts<Key> {
    const last = { ...this.#counts, startMs: this.#startMs ?? nowMs - tookMs, endMs: nowMs }
    this.#last = last
    this.drop()
    return last
  }

  /** The round came to nothing. */
  drop(): void {
    this.#startMs = undefined
    this.#counts = this.#nothing
  }
}
