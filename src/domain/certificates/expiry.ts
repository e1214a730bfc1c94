/** How long a certificate is still good, and when an operator is to be warned of its end. */

export const dayMs = 86_400_000

/** An operator is warned when no more than this many days are left, each time once. */
const warningDays = [1, 7, 30] as const

/** Whole days; below 0 when it has ended. */
export const daysLeft = (endsMs: number, nowMs: number): number => Math.floor((endsMs - nowMs) / dayMs)

/** Days of which the last has begun: 30, 7 or 1; 0 when it has ended; undefined while there is time. */
export type ExpiryStage = (typeof warningDays)[number] | 0 | undefined

export const expiryStage = (endsMs: number, nowMs: number): ExpiryStage => {
  const leftMs = endsMs - nowMs
  if (leftMs <= 0) return 0
  return warningDays.find((days) => leftMs <= days * dayMs)
}
