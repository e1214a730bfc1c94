/** How often things of a few names happened. The names are our own (codes, threads, levels), so that their number is bounded. */
export class Tally {
  readonly #counts = new Map<string, number>()

  add(name: string): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1)
  }

  get figures(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts)
  }
}
