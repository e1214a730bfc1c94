/** A budget of bytes: some at once, and then a fixed number a second. */
export interface BudgetOptions {
  readonly burstBytes: number
  readonly bytesPerSecond: number
}

export class ByteBudget {
  readonly #rule: BudgetOptions
  #leftBytes: number
  #atMs: number

  constructor(rule: BudgetOptions, nowMs: number) {
    this.#rule = rule
    this.#leftBytes = rule.burstBytes
    this.#atMs = nowMs
  }

  /** Nothing of it was used lately. */
  isWhole(nowMs: number): boolean {
    return this.#left(nowMs) >= this.#rule.burstBytes
  }

  /** Uses the bytes when they are there. */
  use(bytes: number, nowMs: number): boolean {
    const left = this.#left(nowMs)
    if (bytes > left) return false
    this.#leftBytes = left - bytes
    this.#atMs = nowMs
    return true
  }

  #left(nowMs: number): number {
    const { burstBytes, bytesPerSecond } = this.#rule
    return Math.min(burstBytes, this.#leftBytes + ((nowMs - this.#atMs) * bytesPerSecond) / 1000)
  }
}
