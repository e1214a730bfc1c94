/** Work that takes turns: each piece starts when the one before it has ended, in the order in which they were given. */
export class InTurn {
  #last: Promise<unknown> = Promise.resolve()

  /** Settles as the work does. A failure is its caller's alone: the next piece starts all the same. */
  run<T>(work: () => T | Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => undefined)
    return mine
  }
}
