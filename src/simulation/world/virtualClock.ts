/**
 * Time that passes only on request: timers fire in order of (time, sequence), each at its own instant, and what a timer
 * started by promises settles before the next one fires. All nodes of a simulation share one; each sees it through a view.
 */
import { InvariantError, invariant } from '../../base/invariant.js'
import { limits } from '../../base/limits.js'
import type { Clock } from '../../ports/machine.js'
import { type HeapTimer, TimerHeap } from './timerHeap.js'

/** 2026-01-01T00:00:00Z: an epoch that is not zero, so that nobody takes wall time for monotonic time. */
const defaultEpochMs = 1_767_225_600_000

/** Promises, what they leave for the next tick, and its promises: a third of the price of a turn of the event loop. */
const promisesSettled = (): Promise<void> =>
  new Promise((resolve) => process.nextTick(() => Promise.resolve().then(() => process.nextTick(resolve))))

const eventLoopTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Signals and the terminal want a turn of the event loop now and then. */
const timersPerTurn = 64
/** Something that defers itself for ever must not stop the clock. */
const turnsMax = 16

/** Lets everything run that is ready without time passing, what was deferred by setImmediate included. */
const settled = async (): Promise<void> => {
  await promisesSettled()
  for (let turn = 0; turn < turnsMax && process.getActiveResourcesInfo().includes('Immediate'); turn++) {
    await eventLoopTurn()
    await promisesSettled()
  }
}

/** Its sentence is made only when it is said: there are millions of timers. */
const assertDelay = (delayMs: number): void => {
  if (!(delayMs >= 0 && delayMs <= limits.timerMsMax))
    throw new InvariantError(`a timer's delay is between 0 and ${limits.timerMsMax} ms, not ${delayMs}`)
}

export class VirtualClock implements Clock {
  readonly #epochMs: number
  readonly #heap = new TimerHeap()
  #elapsedMs = 0
  #sequence = 0
  #fired = 0
  #running = false

  constructor(epochMs: number = defaultEpochMs) {
    this.#epochMs = epochMs
  }

  now(): number {
    return this.#epochMs + this.#elapsedMs
  }

  monotonicMs(): number {
    return this.#elapsedMs
  }

  setTimeout(fire: () => void, delayMs: number): HeapTimer {
    assertDelay(delayMs)
    const timer: HeapTimer = { atMs: this.#elapsedMs + delayMs, sequence: ++this.#sequence, fire, place: -1 }
    this.#heap.add(timer)
    return timer
  }

  clearTimeout(timer: unknown): void {
    if (isTimer(timer)) this.#heap.remove(timer)
  }

  /** Timers that will still fire. */
  get pending(): number {
    return this.#heap.size
  }

  /** Timers that have fired so far. */
  get fired(): number {
    return this.#fired
  }

  /** What one node sees: its own wall clock, its own timers to cancel or to freeze, the same time. */
  view(skew: ClockSkew = {}): ClockView {
    return new ClockView(this, skew)
  }

  /** Lets `ms` pass. Fails with what a timer threw. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms
    await this.#run(endMs, () => false)
    this.#elapsedMs = endMs
  }

  /** Lets time pass until `predicate` holds, at most `maxMs`; says whether it holds. */
  async runUntil(predicate: () => boolean, maxMs: number): Promise<boolean> {
    const endMs = this.#elapsedMs + maxMs
    if (await this.#run(endMs, predicate)) return true
    this.#elapsedMs = endMs
    return predicate()
  }

  /** Lets time pass up to the earliest timer and fires it; false when there is none. */
  async runNext(): Promise<boolean> {
    const before = this.#fired
    await this.#run(Number.POSITIVE_INFINITY, () => this.#fired > before)
    return this.#fired > before
  }

  /** Lets promises settle without time passing. */
  settle(): Promise<void> {
    return settled()
  }

  /** True when `stop` said so, false when no timer is left until `endMs`. */
  async #run(endMs: number, stop: () => boolean): Promise<boolean> {
    invariant(!this.#running, 'only one runs the clock at a time')
    invariant(endMs >= this.#elapsedMs, 'time does not go back')
    this.#running = true
    try {
      for (;;) {
        await settled()
        if (stop()) return true
        const next = this.#heap.earliest
        if (next === undefined || next.atMs > endMs) return false
        this.#heap.remove(next)
        this.#elapsedMs = next.atMs
        if (++this.#fired % timersPerTurn === 0) await eventLoopTurn()
        next.fire()
      }
    } finally {
      this.#running = false
    }
  }
}

const isTimer = (timer: unknown): timer is HeapTimer =>
  typeof timer === 'object' && timer !== null && 'sequence' in timer && 'place' in timer

export interface ClockSkew {
  /** Added to the wall clock, in milliseconds. */
  readonly skewMs?: number
  /** How much faster the wall clock runs, in millionths; timers are not affected. */
  readonly driftPpm?: number
}

/** A timer of a view: its place in the shared heap, or waiting in a frozen view. */
class ViewTimer {
  heapTimer: HeapTimer | undefined
  readonly fire: () => void

  constructor(fire: () => void) {
    this.fire = fire
  }
}

/** One node's clock over the shared time. Its timers can be cancelled together (a crash) or kept waiting (a frozen process). */
export class ClockView implements Clock {
  readonly #clock: VirtualClock
  readonly #driftPpm: number
  /** In order of creation. */
  readonly #timers = new Set<ViewTimer>()
  /** Timers that came due while frozen, in the order in which they did. */
  readonly #overdue = new Set<ViewTimer>()
  #skewMs: number
  #frozen = false

  constructor(clock: VirtualClock, skew: ClockSkew) {
    this.#clock = clock
    this.#skewMs = skew.skewMs ?? 0
    this.#driftPpm = skew.driftPpm ?? 0
  }

  now(): number {
    return this.#clock.now() + this.#skewMs + (this.#clock.monotonicMs() * this.#driftPpm) / 1_000_000
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs()
  }

  /** An operator or a time server sets the wall clock; timers do not notice. */
  jump(ms: number): void {
    this.#skewMs += ms
  }

  setTimeout(fire: () => void, delayMs: number): ViewTimer {
    const timer = new ViewTimer(fire)
    timer.heapTimer = this.#clock.setTimeout(() => this.#due(timer), delayMs)
    this.#timers.add(timer)
    return timer
  }

  clearTimeout(timer: unknown): void {
    if (!(timer instanceof ViewTimer)) return
    this.#timers.delete(timer)
    this.#overdue.delete(timer)
    this.#clock.clearTimeout(timer.heapTimer)
  }

  /** Timers that will still fire, those that wait in a frozen view included. */
  get pending(): number {
    return this.#timers.size
  }

  /** Cancels all timers: the process is gone. A frozen view runs again. */
  cancelAll(): void {
    for (const timer of this.#timers) this.#clock.clearTimeout(timer.heapTimer)
    this.#timers.clear()
    this.#overdue.clear()
    this.#frozen = false
  }

  get isFrozen(): boolean {
    return this.#frozen
  }

  /** The process stands still like after SIGSTOP: timers that come due wait until it continues. */
  freeze(): void {
    this.#frozen = true
  }

  /** The process goes on: timers that came due meanwhile fire at once, in their order, promises settling between them. */
  thaw(): void {
    this.#frozen = false
    for (const timer of this.#overdue) timer.heapTimer = this.#clock.setTimeout(() => this.#due(timer), 0)
    this.#overdue.clear()
  }

  #due(timer: ViewTimer): void {
    timer.heapTimer = undefined
    if (this.#frozen) {
      this.#overdue.add(timer)
      return
    }
    this.#timers.delete(timer)
    timer.fire()
  }
}
