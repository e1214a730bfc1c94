/** How long things took: counted in classes that grow by a twentieth each, so that any number of them costs the same. */

const growth = 1.05
const classesMax = 512
/** Of the first class, in milliseconds. */
const smallestMs = 0.01

export interface LatencySummary {
  readonly count: number
  readonly p50Ms: number
  readonly p95Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const classOf = (ms: number): number =>
  ms <= smallestMs ? 0 : Math.min(classesMax - 1, Math.ceil(Math.log(ms / smallestMs) / Math.log(growth)))

export class Latencies {
  readonly #classes = new Uint32Array(classesMax)
  #count = 0
  #maxMs = 0

  get count(): number {
    return this.#count
  }

  add(ms: number): void {
    const at = classOf(ms)
    this.#classes[at] = (this.#classes[at] ?? 0) + 1
    this.#count += 1
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  /** At most a twentieth more than the true value. */
  quantileMs(share: number): number {
    const wanted = Math.max(1, Math.ceil(share * this.#count))
    let passed = 0
    for (let at = 0; at < classesMax; at++) {
      passed += this.#classes[at] ?? 0
      if (passed >= wanted) return Math.min(this.#maxMs, smallestMs * growth ** at)
    }
    return this.#maxMs
  }

  summary(): LatencySummary {
    const rounded = (ms: number): number => Math.round(ms * 100) / 100
    return {
      count: this.#count,
      p50Ms: rounded(this.quantileMs(0.5)),
      p95Ms: rounded(this.quantileMs(0.95)),
      p99Ms: rounded(this.quantileMs(0.99)),
      maxMs: rounded(this.#maxMs),
    }
  }
}
