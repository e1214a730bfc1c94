/** Dials that failed one after another: which of them are logged, and how. */

import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { limits } from '../../base/limits.js'

export interface DialFailures {
  readonly attempts: number
  /** When the first of them failed. */
  readonly sinceMs: number
  /** In a row that the peer ended at once, as a master with another key does. */
  readonly hungUp: number
  /** The sentences of this minute, and when it began. */
  readonly said: readonly string[]
  readonly saidSinceMs: number
  readonly error: ClusterError | undefined
  /** Whether the last one is to be logged. */
  readonly isLogged: boolean
}

export const noFailures: DialFailures = {
  attempts: 0,
  sinceMs: 0,
  hungUp: 0,
  said: [],
  saidSinceMs: 0,
  error: undefined,
  isLogged: false,
}

/** A crowded master hangs up now and then, one with another key each time. */
const hungUpMin = 5

const anotherKey = (error: ClusterError): ClusterError =>
  new ClusterError(error.code, {
    message:
      `The master closed the last ${hungUpMin} or more connections right after the first message of the handshake: most likely it has` +
      ' another cluster key; a peer that is not a Muster master, a proxy and an overloaded master close connections the same way',
    context: error.context,
    cause: error,
  })

/** Another reason is logged at once, of several in turns not all, and the last one once a minute. */
export const failedDial = (before: DialFailures, thrown: ClusterError, nowMs: number): DialFailures => {
  const hungUp = thrown.code === 'handshakeRefused' && thrown.context['isPrompt'] === true ? before.hungUp + 1 : 0
  const error = hungUp < hungUpMin ? thrown : anotherKey(thrown)
  const isMinuteOver = before.attempts === 0 || nowMs - before.saidSinceMs >= limits.dialLogIntervalMs
  const said = isMinuteOver ? [] : before.said
  const isLogged = !said.includes(error.message) && said.length < limits.dialReasonsMax
  return {
    attempts: before.attempts + 1,
    sinceMs: before.attempts === 0 ? nowMs : before.sinceMs,
    hungUp,
    said: isLogged ? [...said, error.message] : said,
    saidSinceMs: isMinuteOver ? nowMs : before.saidSinceMs,
    error,
    isLogged,
  }
}

export const secondsText = (ms: number): string => {
  const seconds = ms < 1_000 ? (ms / 1_000).toFixed(1) : String(Math.round(ms / 1_000))
  return seconds === '1' ? '1 second' : `${seconds} seconds`
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs

const durationText = (ms: number): string => {
  if (ms >= 2 * hourMs) return `${Math.floor(ms / hourMs)} hours`
  const minutes = Math.floor(ms / minuteMs)
  return counted(minutes, 'minute')
}

/** `growsToMs`: the pauses after this one are longer, up to that. */
export const dialFailureText = (
  { attempts, error, sinceMs }: DialFailures,
  nowMs: number,
  pause: { readonly delayMs: number; readonly growsToMs: number | undefined },
): string => {
  const failingMs = nowMs - sinceMs
  const figures = failingMs < minuteMs ? '' : ` for ${durationText(failingMs)} (${counted(attempts, 'attempt')})`
  const growth = pause.growsToMs === undefined ? '' : `, and then after longer pauses of up to ${secondsText(pause.growsToMs)}`
  return `Could not connect to master${figures}: ${fullStop(error?.message ?? 'unknown')} Trying again in ${secondsText(pause.delayMs)}${growth}.`
}
