/** Missed-beat accounting of one peer, and what the beats show about its clock: decides, never waits. */

export interface Heartbeat {
  /** Beats in a row that went unanswered. */
  readonly missed: number
}

export const healthy: Heartbeat = { missed: 0 }

export const missedBeat = (heartbeat: Heartbeat): Heartbeat => ({ missed: heartbeat.missed + 1 })

export const isLost = (heartbeat: Heartbeat, missedBeatsMax: number): boolean => heartbeat.missed >= missedBeatsMax

/** The longest time, in milliseconds, that a dead master can go unnoticed: each beat waits its interval, then its time-out. */
export const detectionMsMax = (rule: { intervalMs: number; answerMsMax: number; missedBeatsMax: number }): number =>
  rule.missedBeatsMax * (rule.intervalMs + rule.answerMsMax)

/** The master's side: has a worker been silent for too long? Both times are of the monotonic clock. */
export const isSilent = (lastBeatMs: number, nowMs: number, silenceMsMax: number): boolean => nowMs - lastBeatMs > silenceMsMax

/** The longest time, in milliseconds, that a dead worker can go unnoticed: its silence is checked once per interval. */
export const silenceDetectionMsMax = (rule: { checkIntervalMs: number; silenceMsMax: number }): number =>
  rule.silenceMsMax + rule.checkIntervalMs

/** The master's clock minus ours, taking the way there and the way back as equally long. */
export const clockSkewMs = (beat: { sentAtMs: number; receivedAtMs: number; answeredAtMs: number }): number =>
  beat.receivedAtMs - (beat.sentAtMs + beat.answeredAtMs) / 2

/** Beyond this, agents' times from two nodes can no longer be compared without correction, and an operator should know. */
export const clockSkewWarningMs = 5_000

export const isSkewed = (skewMs: number): boolean => Math.abs(skewMs) > clockSkewWarningMs
