/** Durations as a histogram: what metrics need to say how long something usually takes. */
import type { DurationFigures } from '../nodeFigures.js'

/** From what one exchange takes on a quiet network to a first sync over a slow one. */
export const durationBoundsSeconds = [0.001, 0.005, 0.025, 0.1, 0.25, 1, 2.5, 10, 30, 120, 600] as const

export class Durations {
  readonly #counts: number[] = durationBoundsSeconds.map(() => 0)
  #count = 0
  #sumSeconds = 0

  /** A clock that was set back in between gives less than nothing, which counts as nothing. */
  add(ms: number): void {
    const seconds = Math.max(0, ms) / 1_000
    this.#count += 1
    this.#sumSeconds += seconds
    for (const [at, bound] of durationBoundsSeconds.entries()) if (seconds <= bound) this.#counts[at] = (this.#counts[at] ?? 0) + 1
  }

  get figures(): DurationFigures {
    const counts = durationBoundsSeconds.map((seconds, at) => ({ seconds, count: this.#counts[at] ?? 0 }))
    return { counts, count: this.#count, sumSeconds: this.#sumSeconds }
  }
}
