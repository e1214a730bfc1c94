/** Moments as Wazuh writes them. */

export const notAvailable = 'n/a'

/** ISO 8601 with microseconds and Z, from milliseconds since 1970; `n/a` for none. */
export const momentText = (ms: number | undefined): string => {
  if (ms === undefined) return notAvailable
  // The nearest one: a double of today's milliseconds is exact to a quarter of a microsecond only.
  const microseconds = Math.round((ms - Math.floor(ms)) * 1_000)
  const whole = Math.floor(ms) + (microseconds === 1_000 ? 1 : 0)
  return new Date(whole).toISOString().replace('Z', `${String(microseconds % 1_000).padStart(3, '0')}Z`)
}
