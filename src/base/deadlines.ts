/**
 * Many deadlines, one timer: those of the same length are in a lane in the order in which they fall due, so that adding,
 * putting off and removing one costs nothing that grows with their number.
 */

/** What time is kept by: a part of the port Clock. */
export interface Timers {
  /** Never goes back. */
  monotonicMs(): number
  setTimeout(fire: () => void, delayMs: number): unknown
  clearTimeout(timer: unknown): void
}

export interface Due {
  due(): void
}

export class Deadline {
  readonly lane: Lane
  readonly owner: Due
  atMs: number
  previous: Deadline | undefined
  next: Deadline | undefined

  constructor(lane: Lane, owner: Due, atMs: number) {
    this.lane = lane
    this.owner = owner
    this.atMs = atMs
  }
}

/** A doubly linked list, earliest first. */
class Lane {
  readonly lengthMs: number
  head: Deadline | undefined
  #tail: Deadline | undefined

  constructor(lengthMs: number) {
    this.lengthMs = lengthMs
  }

  append(deadline: Deadline): void {
    deadline.previous = this.#tail
    deadline.next = undefined
    if (this.#tail) this.#tail.next = deadline
    else this.head = deadline
    this.#tail = deadline
  }

  remove(deadline: Deadline): void {
    const { previous, next } = deadline
    if (previous) previous.next = next
    else if (this.head === deadline) this.head = next
    else return
    if (next) next.previous = previous
    else this.#tail = previous
    deadline.previous = undefined
    deadline.next = undefined
  }
}

export class Deadlines {
  readonly #clock: Timers
  readonly #lanes = new Map<number, Lane>()
  #timer: unknown
  #firesAtMs = Number.POSITIVE_INFINITY

  constructor(clock: Timers) {
    this.#clock = clock
  }

  /** Calls `owner.due()` in `lengthMs`, unless it is removed or put off before. */
  add(lengthMs: number, owner: Due): Deadline {
    let lane = this.#lanes.get(lengthMs)
    if (!lane) {
      lane = new Lane(lengthMs)
      this.#lanes.set(lengthMs, lane)
    }
    const deadline = new Deadline(lane, owner, this.#clock.monotonicMs() + lengthMs)
    lane.append(deadline)
    if (deadline.atMs < this.#firesAtMs) this.#arm(deadline.atMs, lengthMs)
    return deadline
  }

  /** Its time starts again. */
  putOff(deadline: Deadline): void {
    deadline.lane.remove(deadline)
    deadline.atMs = this.#clock.monotonicMs() + deadline.lane.lengthMs
    deadline.lane.append(deadline)
  }

  /** The timer stays for the next entry; when there is none, it fires once for nothing. */
  remove(deadline: Deadline): void {
    deadline.lane.remove(deadline)
  }

  clear(): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    this.#firesAtMs = Number.POSITIVE_INFINITY
    this.#lanes.clear()
  }

  #arm(atMs: number, inMs: number): void {
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#firesAtMs = atMs
    this.#timer = this.#clock.setTimeout(() => this.#fire(), inMs)
  }

  #fire(): void {
    this.#timer = undefined
    this.#firesAtMs = Number.POSITIVE_INFINITY
    const nowMs = this.#clock.monotonicMs()
    const due: Deadline[] = []
    for (const lane of this.#lanes.values())
      for (let first = lane.head; first && first.atMs <= nowMs; first = lane.head) {
        lane.remove(first)
        due.push(first)
      }
    for (const deadline of due.sort((a, b) => a.atMs - b.atMs)) deadline.owner.due()
    this.#armForEarliest()
  }

  #armForEarliest(): void {
    let earliestMs = Number.POSITIVE_INFINITY
    for (const [lengthMs, lane] of this.#lanes)
      if (!lane.head) this.#lanes.delete(lengthMs)
      else if (lane.head.atMs < earliestMs) earliestMs = lane.head.atMs
    // Real timers may fire a fraction of a millisecond early; the rest is then waited for.
    if (earliestMs < this.#firesAtMs) this.#arm(earliestMs, Math.max(0, earliestMs - this.#clock.monotonicMs()))
  }
}
