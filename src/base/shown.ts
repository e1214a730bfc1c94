/** Any value, as a message about it may show it. */
import { safeJson } from './escapeText.js'
import { shortened } from './logText.js'

const shownCharsMax = 100

const whole = (value: unknown): string => {
  if (value === undefined || typeof value === 'number' || typeof value === 'bigint' || typeof value === 'symbol') return String(value)
  if (typeof value === 'function') return 'a function'
  try {
    return safeJson(value)
  } catch {
    return 'an object that is not plain data'
  }
}

/** A value as a message may show it: one line, bounded. */
export const shown = (value: unknown): string => shortened(whole(value), shownCharsMax)
