/**
 * Lines of the log that peers cause: one for each address, kind and sentence within a minute, a bound on the lines of a kind and of
 * all, and once a minute how many were left out. A flood from any number of addresses costs no more.
 */
import { limits } from '../../base/limits.js'
import { addressPrefix } from '../../domain/cluster/addressPrefix.js'
import { recentLines } from '../../domain/cluster/recentLines.js'
import type { Clock } from '../../ports/machine.js'

const intervalMs = limits.refusalLogIntervalMs
/** One less than the bound: the summary is a line too. */
const singleLinesMax = limits.refusalLinesMax - 1

export interface LimitedLine {
  /** Of the peer. */
  readonly address: string
  readonly kind: string
  /** Without what changes from one time to the next. */
  readonly sentence: string
  /** Whose address it is says nothing: counted as one for all. */
  readonly isOfAll?: boolean
}

export interface LeftOutLines {
  readonly count: number
  /** Of these, those whose address says nothing. */
  readonly countOfAll: number
  /** `4 addresses`, or that there were more than are counted. */
  readonly addresses: string
}

interface LeftOut {
  readonly prefixes: Set<string>
  readonly timer: unknown
  count: number
  countOfAll: number
}

export class LimitedLines {
  readonly #clock: Clock
  readonly #sum: (leftOut: LeftOutLines) => void
  /** By address and kind, the one that was logged first at the beginning: what was said within the interval. */
  readonly #said = new Map<string, { readonly untilMs: number; readonly sentences: Set<string> }>()
  readonly #linesOfKind = new Map<string, readonly number[]>()
  #lines: readonly number[] = []
  #leftOut: LeftOut | undefined

  /** @param sum logs what was left out in the last minute */
  constructor(clock: Clock, sum: (leftOut: LeftOutLines) => void) {
    this.#clock = clock
    this.#sum = sum
  }

  /** Whether to log the line; otherwise it is counted. */
  add(line: LimitedLine): boolean {
    if (this.#isNew(line) && this.#isWithinRate(line.kind)) {
      this.#remember(line)
      return true
    }
    this.#leaveOut(line)
    return false
  }

  /** What was left out in the last minute is not counted any more. */
  close(): void {
    if (this.#leftOut) this.#clock.clearTimeout(this.#leftOut.timer)
    this.#leftOut = undefined
  }

  /** A health check must not hide that a peer of the same address has the wrong key; but a peer may vary its sentences. */
  #isNew(line: LimitedLine): boolean {
    const said = this.#said.get(keyOf(line))
    if (!said || said.untilMs <= this.#clock.monotonicMs()) return true
    return !said.sentences.has(line.sentence) && said.sentences.size < limits.refusalSentencesMax
  }

  #isWithinRate(kind: string): boolean {
    const nowMs = this.#clock.monotonicMs()
    const linesOfKind = recentLines(this.#linesOfKind.get(kind) ?? [], nowMs, intervalMs)
    this.#lines = recentLines(this.#lines, nowMs, intervalMs)
    if (linesOfKind.length >= limits.refusalLinesPerKindMax || this.#lines.length >= singleLinesMax) return false
    this.#linesOfKind.set(kind, [...linesOfKind, nowMs])
    this.#lines = [...this.#lines, nowMs]
    return true
  }

  #remember(line: LimitedLine): void {
    const nowMs = this.#clock.monotonicMs()
    const key = keyOf(line)
    const said = this.#said.get(key)
    if (said && said.untilMs > nowMs) {
      said.sentences.add(line.sentence)
      return
    }
    this.#said.delete(key)
    const [oldest] = this.#said.keys()
    if (oldest !== undefined && this.#said.size >= limits.refusalLogKeysMax) this.#said.delete(oldest)
    this.#said.set(key, { untilMs: nowMs + intervalMs, sentences: new Set([line.sentence]) })
  }

  #leaveOut({ address, isOfAll }: LimitedLine): void {
    this.#leftOut ??= {
      prefixes: new Set(),
      timer: this.#clock.setTimeout(() => this.#sumUp(), intervalMs),
      count: 0,
      countOfAll: 0,
    }
    const { prefixes } = this.#leftOut
    // One more than can be counted: from then on there are "more than".
    if (prefixes.size <= limits.refusalLogKeysMax) prefixes.add(addressPrefix(address))
    this.#leftOut.count += 1
    if (isOfAll) this.#leftOut.countOfAll += 1
  }

  #sumUp(): void {
    if (!this.#leftOut) return
    const { count, countOfAll, prefixes } = this.#leftOut
    this.#leftOut = undefined
    const { size } = prefixes
    const addresses =
      size > limits.refusalLogKeysMax ? `more than ${limits.refusalLogKeysMax} addresses` : size === 1 ? '1 address' : `${size} addresses`
    this.#sum({ count, countOfAll, addresses })
  }
}

const keyOf = ({ address, isOfAll, kind }: LimitedLine): string => (isOfAll ? kind : `${addressPrefix(address)} ${kind}`)
