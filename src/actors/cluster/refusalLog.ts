/**
 * What the log says of connections that were refused: one line per address, kind and sentence within a minute, a bound on the
 * lines of a kind and of all, and once a minute how many were left out. A flood from any number of addresses costs no more.
 */

import { counted } from '../../base/counted.js'
import type { ErrorCode } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'
import { addressPrefix } from '../../domain/cluster/addressPrefix.js'
import { recentLines } from '../../domain/cluster/recentLines.js'
import type { Refusal } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'

const intervalMs = limits.refusalLogIntervalMs
/** One less than the bound: the summary is a line too. */
const singleLinesMax = limits.refusalLinesMax - 1

interface LeftOut {
  readonly prefixes: Set<string>
  readonly timer: unknown
  count: number
  /** Of these, how many were closed to make room for others. */
  crowded: number
}

export class RefusalLog {
  readonly #clock: Clock
  readonly #log: Log
  /** By address and kind, the one that was logged first at the beginning: what was said within the interval. */
  readonly #said = new Map<string, { readonly untilMs: number; readonly sentences: Set<string> }>()
  readonly #linesOfKind = new Map<ErrorCode, readonly number[]>()
  #lines: readonly number[] = []
  #leftOut: LeftOut | undefined

  constructor(clock: Clock, log: Log) {
    this.#clock = clock
    this.#log = log
  }

  add(refusal: Refusal): void {
    if (this.#isNew(refusal) && this.#isWithinRate(refusal)) this.#say(refusal)
    else this.#leaveOut(refusal)
  }

  /** The refusals of the last minute are not counted any more. */
  close(): void {
    if (this.#leftOut) this.#clock.clearTimeout(this.#leftOut.timer)
    this.#leftOut = undefined
  }

  /** A health check must not hide that a worker of the same address has the wrong key; but a peer may vary its sentences. */
  #isNew(refusal: Refusal): boolean {
    const said = this.#said.get(keyOf(refusal))
    if (!said || said.untilMs <= this.#clock.monotonicMs()) return true
    return !said.sentences.has(refusal.error.message) && said.sentences.size < limits.refusalSentencesMax
  }

  #isWithinRate({ error }: Refusal): boolean {
    const nowMs = this.#clock.monotonicMs()
    const linesOfKind = recentLines(this.#linesOfKind.get(error.code) ?? [], nowMs, intervalMs)
    this.#lines = recentLines(this.#lines, nowMs, intervalMs)
    if (linesOfKind.length >= limits.refusalLinesPerKindMax || this.#lines.length >= singleLinesMax) return false
    this.#linesOfKind.set(error.code, [...linesOfKind, nowMs])
    this.#lines = [...this.#lines, nowMs]
    return true
  }

  #say(refusal: Refusal): void {
    const { address, error } = refusal
    const nowMs = this.#clock.monotonicMs()
    const key = keyOf(refusal)
    const said = this.#said.get(key)
    if (said && said.untilMs > nowMs) said.sentences.add(error.message)
    else {
      this.#said.delete(key)
      const [oldest] = this.#said.keys()
      if (oldest !== undefined && this.#said.size >= limits.refusalLogKeysMax) this.#said.delete(oldest)
      this.#said.set(key, { untilMs: nowMs + intervalMs, sentences: new Set([error.message]) })
    }
    this.#log.warning(`A connection from ${address} was refused: ${fullStop(error.message)}`)
  }

  #leaveOut({ address, error }: Refusal): void {
    this.#leftOut ??= { prefixes: new Set(), timer: this.#clock.setTimeout(() => this.#sum(), intervalMs), count: 0, crowded: 0 }
    const { prefixes } = this.#leftOut
    // One more than can be counted: from then on there are "more than".
    if (prefixes.size <= limits.refusalLogKeysMax) prefixes.add(addressPrefix(address))
    this.#leftOut.count += 1
    if (isCrowded(error.code)) this.#leftOut.crowded += 1
  }

  #sum(): void {
    if (!this.#leftOut) return
    const { count, crowded, prefixes } = this.#leftOut
    this.#leftOut = undefined
    const { size } = prefixes
    const were = count === 1 ? 'was' : 'were'
    const addresses =
      size > limits.refusalLogKeysMax ? `more than ${limits.refusalLogKeysMax} addresses` : size === 1 ? '1 address' : `${size} addresses`
    const room = `; ${crowded} of them were closed to make room, because too many connections did not prove the cluster key`
    this.#log.warning(
      `In the last minute ${counted(count, 'more connection')} from ${addresses} ${were} refused and not logged${crowded > 0 ? room : ''}.`,
    )
  }
}

/** The door is crowded by all of them together: whose connection was closed says nothing. */
const isCrowded = (code: ErrorCode): boolean => code === 'overloaded'

const keyOf = ({ address, error }: Refusal): string => (isCrowded(error.code) ? error.code : `${addressPrefix(address)} ${error.code}`)
