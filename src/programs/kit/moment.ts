/** Moments and durations as Wazuh writes them. */
import type { SpanView } from '../../domain/queries/clusterAnswer.js'

export const notAvailable = 'n/a'

/** ISO 8601 with microseconds and Z, from milliseconds since 1970; `n/a` for none. */
export const momentText = (ms: number | undefined): string => {
  if (ms === undefined) return notAvailable
  // The nearest one: a double of today's milliseconds is exact to a quarter of a microsecond only.
  const microseconds = Math.round((ms - Math.floor(ms)) * 1_000)
  const whole = Math.floor(ms) + (microseconds === 1_000 ? 1 : 0)
  return new Date(whole).toISOString().replace('Z', `${String(microseconds % 1_000).padStart(3, '0')}Z`)
}

/** `0.013s`, `0.01s`, `2.0s`: at most three digits, at least one. */
export const secondsText = (ms: number): string => {
  const seconds = Math.round(ms) / 1_000
  return `${Number.isInteger(seconds) ? seconds.toFixed(1) : String(seconds)}s`
}

/** `0.013s (START - END)`; the reference never says less than a millisecond. */
export const spanText = (span: SpanView | undefined): string => {
  const took = span ? secondsText(Math.max(1, span.endMs - span.startMs)) : notAvailable
  return `${took} (${momentText(span?.startMs)} - ${momentText(span?.endMs)})`
}
