/** Timers in order of (time, sequence): a binary heap that can also drop a timer from its middle, all in O(log n). */
import { InvariantError } from '../../base/invariant.js'

export interface HeapTimer {
  readonly atMs: number
  readonly sequence: number
  readonly fire: () => void
  /** Place in the heap; -1 when it is in none. The heap's own to change. */
  place: number
}

const isBefore = (a: HeapTimer, b: HeapTimer): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.sequence < b.sequence)

export class TimerHeap {
  readonly #timers: HeapTimer[] = []

  get size(): number {
    return this.#timers.length
  }

  get earliest(): HeapTimer | undefined {
    return this.#timers[0]
  }

  add(timer: HeapTimer): void {
    this.#timers.push(timer)
    this.#rise(timer, this.#timers.length - 1)
  }

  /** False when it is not in the heap. */
  remove(timer: HeapTimer): boolean {
    const { place } = timer
    if (place < 0) return false
    const last = this.#timers.pop()
    timer.place = -1
    if (last === undefined || last === timer) return true
    this.#sink(last, place)
    if (last.place === place) this.#rise(last, place)
    return true
  }

  #at(place: number): HeapTimer {
    const timer = this.#timers[place]
    if (timer === undefined) throw new InvariantError('a place in the heap holds a timer')
    return timer
  }

  #put(timer: HeapTimer, place: number): void {
    this.#timers[place] = timer
    timer.place = place
  }

  #rise(timer: HeapTimer, from: number): void {
    let place = from
    while (place > 0) {
      const parentPlace = (place - 1) >> 1
      const parent = this.#at(parentPlace)
      if (!isBefore(timer, parent)) break
      this.#put(parent, place)
      place = parentPlace
    }
    this.#put(timer, place)
  }

  #sink(timer: HeapTimer, from: number): void {
    const { length } = this.#timers
    let place = from
    for (;;) {
      let childPlace = 2 * place + 1
      if (childPlace >= length) break
      let child = this.#at(childPlace)
      const rightPlace = childPlace + 1
      if (rightPlace < length && isBefore(this.#at(rightPlace), child)) {
        childPlace = rightPlace
        child = this.#at(rightPlace)
      }
      if (!isBefore(child, timer)) break
      this.#put(child, place)
      place = childPlace
    }
    this.#put(timer, place)
  }
}
