/**
 * Which TLS handshakes are under way. A connection that has said nothing waits aside, and goes first when there is no room; those that
 * have spoken begin in turns by where they come from, so that a burst of one site waits instead of being refused, and keeps nobody else
 * waiting for long.
 */
import { type Deadline, Deadlines, type Due, type Timers } from '../../base/deadlines.js'
import { addressPrefix } from '../../domain/cluster/addressPrefix.js'

export interface HandshakeBounds {
  /** Of connections whose handshake has not ended. */
  readonly handshakesMax: number
  /** Of these, handshakes that have begun. */
  readonly begunMax: number
  /** A handshake that has begun gives way after this long to one of a site that has fewer under way. */
  readonly contestedMsMax: number
  /** It may take this long in any case. */
  readonly begunMsMax: number
  /** Handshakes begin as fast as there is room, or some at once and then this many a second: each costs time, however soon it ends. */
  readonly pace?: HandshakePace
}

export interface HandshakePace {
  readonly burst: number
  readonly perSecond: number
}

/** When the next may begin. */
class Pace implements Due {
  readonly #pace: HandshakePace
  readonly #timers: Timers
  readonly #deadlines: Deadlines
  readonly #mayBegin: () => void
  #left: number
  #atMs: number
  #deadline: Deadline | undefined

  constructor(pace: HandshakePace, timers: Timers, deadlines: Deadlines, mayBegin: () => void) {
    this.#pace = pace
    this.#timers = timers
    this.#deadlines = deadlines
    this.#mayBegin = mayBegin
    this.#left = pace.burst
    this.#atMs = timers.monotonicMs()
  }

  /** Takes a place where there is one; else `mayBegin` is called when there is. */
  take(): boolean {
    const { burst, perSecond } = this.#pace
    const nowMs = this.#timers.monotonicMs()
    this.#left = Math.min(burst, this.#left + ((nowMs - this.#atMs) * perSecond) / 1_000)
    this.#atMs = nowMs
    if (this.#left >= 1) {
      this.#left -= 1
      return true
    }
    this.#deadline ??= this.#deadlines.add(Math.ceil(1_000 / perSecond), this)
    return false
  }

  due(): void {
    this.#deadline = undefined
    this.#mayBegin()
  }
}

/** A connection before the end of its handshake. */
export interface ComingHandshake {
  /** Of the peer itself, once it has spoken. */
  readonly remoteAddress: string
  /** Ends it. It leaves the turns in this call. */
  giveWay(reason: 'crowded' | 'slow'): void
}

type Waiting = Map<string, Map<ComingHandshake, () => void>>

class Begun implements Due {
  readonly handshake: ComingHandshake
  readonly prefix: string
  deadline: Deadline | undefined
  readonly #slow: (begun: Begun) => void

  constructor(handshake: ComingHandshake, prefix: string, slow: (begun: Begun) => void) {
    this.handshake = handshake
    this.prefix = prefix
    this.#slow = slow
  }

  due(): void {
    this.deadline = undefined
    this.#slow(this)
  }
}

export class HandshakeTurns {
  readonly #bounds: HandshakeBounds
  readonly #deadlines: Deadlines
  /** Has said nothing; the oldest first. */
  readonly #silent = new Set<ComingHandshake>()
  /** Has spoken and waits, by prefix of its address; the prefix whose turn is next first. Those of a preferred prefix go before all others. */
  readonly #preferred: Waiting = new Map()
  readonly #others: Waiting = new Map()
  readonly #isPreferred: (prefix: string) => boolean
  #waitingCount = 0
  readonly #begun = new Map<ComingHandshake, Begun>()
  readonly #begunOf = new Map<string, number>()
  /** Of these, the ones that give way to a site that has fewer. */
  readonly #slow = new Set<Begun>()
  readonly #pace: Pace | undefined

  /** @param isPreferred of the prefix of an address; asked when one of it begins to wait */
  constructor(timers: Timers, bounds: HandshakeBounds, isPreferred: (prefix: string) => boolean = () => false) {
    this.#bounds = bounds
    this.#isPreferred = isPreferred
    this.#deadlines = new Deadlines(timers)
    this.#pace = bounds.pace && new Pace(bounds.pace, timers, this.#deadlines, () => this.#beginNext())
  }

  get size(): number {
    return this.#silent.size + this.#waitingCount + this.#begun.size
  }

  enter(handshake: ComingHandshake): void {
    if (this.size >= this.#bounds.handshakesMax) this.#makeRoom()
    this.#silent.add(handshake)
  }

  /** It has spoken; `begin` is called when its turn has come. */
  spoke(handshake: ComingHandshake, begin: () => void): void {
    if (!this.#silent.delete(handshake)) return
    const prefix = addressPrefix(handshake.remoteAddress)
    const waiting = this.#preferred.has(prefix) || this.#isPreferred(prefix) ? this.#preferred : this.#others
    const neighbours = waiting.get(prefix) ?? new Map<ComingHandshake, () => void>()
    neighbours.set(handshake, begin)
    waiting.set(prefix, neighbours)
    this.#waitingCount += 1
    if (this.#begun.size >= this.#bounds.begunMax)
      for (const slow of this.#slow)
        if (this.#givesWay(slow)) {
          slow.handshake.giveWay('slow')
          break
        }
    this.#beginNext()
  }

  /** Its handshake has ended, or the connection has; again is harmless. */
  leave(handshake: ComingHandshake): void {
    if (this.#silent.delete(handshake)) return
    const begun = this.#begun.get(handshake)
    if (begun) {
      if (begun.deadline) this.#deadlines.remove(begun.deadline)
      this.#begun.delete(handshake)
      this.#slow.delete(begun)
      this.#countBegun(begun.prefix, -1)
      this.#beginNext()
      return
    }
    const prefix = addressPrefix(handshake.remoteAddress)
    for (const waiting of [this.#preferred, this.#others]) {
      const neighbours = waiting.get(prefix)
      if (!neighbours?.delete(handshake)) continue
      this.#waitingCount -= 1
      if (neighbours.size === 0) waiting.delete(prefix)
    }
  }

  /** None begins any more. */
  close(): void {
    this.#silent.clear()
    this.#preferred.clear()
    this.#others.clear()
    this.#waitingCount = 0
    this.#deadlines.clear()
  }

  #beginNext(): void {
    while (this.#begun.size < this.#bounds.begunMax) {
      const waiting = this.#next
      const [next] = waiting
      if (!next || this.#pace?.take() === false) return
      const [prefix, neighbours] = next
      waiting.delete(prefix)
      const [first] = neighbours
      if (!first) continue
      const [handshake, begin] = first
      neighbours.delete(handshake)
      this.#waitingCount -= 1
      if (neighbours.size > 0) waiting.set(prefix, neighbours)
      const begun = new Begun(handshake, prefix, (slow) => this.#isSlow(slow))
      begun.deadline = this.#deadlines.add(this.#bounds.contestedMsMax, begun)
      this.#begun.set(handshake, begun)
      this.#countBegun(prefix, 1)
      begin()
    }
  }

  get #next(): Waiting {
    return this.#preferred.size > 0 ? this.#preferred : this.#others
  }

  #countBegun(prefix: string, change: 1 | -1): void {
    const count = (this.#begunOf.get(prefix) ?? 0) + change
    if (count > 0) this.#begunOf.set(prefix, count)
    else this.#begunOf.delete(prefix)
  }

  /** Called when it has taken as long as it may where others wait, and again at its end. */
  #isSlow(begun: Begun): void {
    if (this.#slow.has(begun) || this.#givesWay(begun)) {
      begun.handshake.giveWay('slow')
      return
    }
    this.#slow.add(begun)
    begun.deadline = this.#deadlines.add(this.#bounds.begunMsMax - this.#bounds.contestedMsMax, begun)
  }

  /** To the site whose turn is next: a burst never ends handshakes of its own site, whose machines may just be busy. */
  #givesWay({ prefix }: Begun): boolean {
    const [next] = this.#next.keys()
    return next !== undefined && (this.#begunOf.get(next) ?? 0) < (this.#begunOf.get(prefix) ?? 0)
  }

  /** The oldest that says nothing goes, else the last of the site that has the most waiting. */
  #makeRoom(): void {
    const [oldest] = this.#silent
    const leaving = oldest ?? this.#lastOfLargest() ?? [...this.#begun.keys()][0]
    leaving?.giveWay('crowded')
  }

  #lastOfLargest(): ComingHandshake | undefined {
    let largest: ReadonlyMap<ComingHandshake, () => void> | undefined
    for (const neighbours of (this.#others.size > 0 ? this.#others : this.#preferred).values())
      if (neighbours.size > (largest?.size ?? 0)) largest = neighbours
    return largest && [...largest.keys()].at(-1)
  }
}
