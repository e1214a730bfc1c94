/** A bound on the lines of the log within any interval, by the times of the lines that were written. */

/** Of these times, those that count at this moment; one more line may be written while they are fewer than the bound. */
export const recentLines = (timesMs: readonly number[], nowMs: number, intervalMs: number): readonly number[] =>
  timesMs.filter((atMs) => nowMs - atMs < intervalMs)
