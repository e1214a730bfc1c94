/**
 * Items that come in any order, given back in order: sorted in runs that are merged as they are read, so that no step takes long, and no
 * more are held than are wanted.
 */
import { limits } from '../../base/limits.js'

/** One run, and how far it has been read. */
interface Cursor<T> {
  readonly run: readonly T[]
  at: number
}

export class SortedRuns<T> {
  readonly #compare: (a: T, b: T) => number
  /** The first of them in order that are wanted. */
  readonly #wantedMax: number
  #runs: (readonly T[])[] = []
  #run: T[] = []
  #held = 0

  /** @param compare never 0: of items that are equal otherwise, the one that came first is first */
  constructor(compare: (a: T, b: T) => number, wantedMax: number) {
    this.#compare = compare
    this.#wantedMax = wantedMax
  }

  /** More are held than wanted, by enough that `shrink` is due. */
  get isOverfull(): boolean {
    return this.#held > 2 * this.#wantedMax + limits.apiSortedItemsMax
  }

  add(item: T): void {
    this.#run.push(item)
    this.#held += 1
    if (this.#run.length >= limits.apiSortedAtOnceMax) this.#endRun()
  }

  /** Forgets what is not wanted; yields whenever everything else is to have a turn. */
  *shrink(): Generator<void, void, undefined> {
    const kept: T[] = []
    for (const item of this.inOrder()) if (kept.push(item) % limits.stepsPerTurnMax === 0) yield
    this.#runs = [kept]
    this.#held = kept.length
  }

  /** Those that are wanted. */
  *inOrder(): Generator<T, void, undefined> {
    this.#endRun()
    const heap = this.#runs.filter(({ length }) => length > 0).map((run): Cursor<T> => ({ run, at: 0 }))
    for (let at = (heap.length >> 1) - 1; at >= 0; at--) this.#sink(heap, at)
    for (let count = 0; count < this.#wantedMax; count++) {
      const [first] = heap
      const item = first?.run[first.at]
      if (!first || item === undefined) return
      yield item
      first.at += 1
      if (first.at >= first.run.length) {
        const last = heap.pop()
        if (last && last !== first) heap[0] = last
      }
      this.#sink(heap, 0)
    }
  }

  #endRun(): void {
    if (this.#run.length === 0) return
    const run = this.#run.sort(this.#compare).slice(0, this.#wantedMax)
    this.#held -= this.#run.length - run.length
    this.#runs.push(run)
    this.#run = []
  }

  /** Moves a cursor down to its place in a binary heap whose first has the smallest head. */
  #sink(heap: Cursor<T>[], from: number): void {
    const moved = heap[from]
    if (!moved) return
    let at = from
    for (;;) {
      const left = heap[2 * at + 1]
      const right = heap[2 * at + 2]
      const isRight = left !== undefined && right !== undefined && this.#isBefore(right, left)
      const smaller = isRight ? right : left
      if (!smaller || !this.#isBefore(smaller, moved)) break
      heap[at] = smaller
      at = 2 * at + (isRight ? 2 : 1)
    }
    heap[at] = moved
  }

  #isBefore(a: Cursor<T>, b: Cursor<T>): boolean {
    const one = a.run[a.at]
    const other = b.run[b.at]
    return one !== undefined && other !== undefined && this.#compare(one, other) < 0
  }
}
