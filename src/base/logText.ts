/** Texts for people: phrases of the log that operators grep, as Wazuh writes them, and foreign texts within bounds. */

/** `0.123s`, of milliseconds. */
export const logSeconds = (ms: number): string => `${(ms / 1000).toFixed(3)}s`

/** The text, or its beginning with an ellipsis. */
export const shortened = (text: string, charsMax: number): string => (text.length > charsMax ? `${text.slice(0, charsMax)}…` : text)

const dateMsMax = 8.64e15

/** `2026-11-26 17:08 UTC`, of milliseconds since 1970. */
export const utcMinute = (ms: number): string =>
  Math.abs(ms) <= dateMsMax ? `${new Date(ms).toISOString().slice(0, -8).replace('T', ' ')} UTC` : 'an unknown time'
