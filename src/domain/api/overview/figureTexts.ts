/** Ages, sizes and counts as they are read at a distance: few characters, one unit, no more digits than anybody needs. */

const secondMs = 1_000
const minuteMs = 60 * secondMs
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** `12 s`, `4 min`, `3 h 20 min`, `12 d`: rounded down; what lies ahead is `0 s`. */
export const ageText = (ms: number): string => {
  if (!(ms >= secondMs)) return '0 s'
  if (ms < minuteMs) return `${Math.floor(ms / secondMs)} s`
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min`
  if (ms < 2 * dayMs) {
    const minutes = Math.floor((ms % hourMs) / minuteMs)
    return minutes === 0 ? `${Math.floor(ms / hourMs)} h` : `${Math.floor(ms / hourMs)} h ${minutes} min`
  }
  return `${countText(Math.floor(ms / dayMs))} d`
}

/** `2026-11-26 03:12:45 UTC`: the same on every screen, as nodes and people lie in several time zones. */
export const utcText = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`

/** Whole days until then, rounded down; below 0 once it has passed. */
export const daysUntil = (endsMs: number, nowMs: number): number => Math.floor((endsMs - nowMs) / dayMs)

/** `12,345`. */
export const countText = (count: number): string => String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')

const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** `0 B`, `999 B`, `1.2 kB`, `34 MB`: a thousand, not 1 024, as wires are sold. */
export const bytesText = (bytes: number): string => {
  let [value, unit] = [Math.max(0, bytes), 0]
  while (unit < units.length - 1 && Number(value.toPrecision(3)) >= 1_000) {
    value /= 1_000
    unit++
  }
  const digits = unit > 0 && Number(value.toPrecision(3)) < 10 ? value.toFixed(1) : countText(value)
  return `${digits} ${units[unit]}`
}

/** `0 ms`, `0.4 ms`, `12 ms`, `1.2 s`. */
export const delayText = (ms: number): string => {
  if (ms >= 999.5) return `${(ms / secondMs).toFixed(1)} s`
  return ms >= 0.05 && ms < 9.95 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`
}
