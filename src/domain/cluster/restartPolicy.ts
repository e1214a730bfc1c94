/** When a crashed thread is started again, and when it is given up: Erlang's intensity and period, with a growing delay. */
import { limits } from '../../base/limits.js'

export interface RestartPolicy {
  readonly restartsMax: number
  readonly windowMs: number
  readonly delayMsMin: number
  readonly delayMsMax: number
}

export const defaultRestartPolicy: RestartPolicy = {
  restartsMax: limits.restartsMax,
  windowMs: limits.restartWindowMs,
  delayMsMin: limits.restartDelayMsMin,
  delayMsMax: limits.restartDelayMsMax,
}

/** For a service that the node can do without for a while, but not for good. */
export const neverGivenUp: RestartPolicy = { ...defaultRestartPolicy, restartsMax: Number.POSITIVE_INFINITY }

export type RestartDecision =
  | { readonly kind: 'restart'; readonly delayMs: number; readonly crashesMs: readonly number[] }
  | { readonly kind: 'escalate' }

/** `crashesMs`: when it crashed before; times of the monotonic clock. */
export const decideRestart = (crashesMs: readonly number[], nowMs: number, policy: RestartPolicy): RestartDecision => {
  const recent = [...crashesMs.filter((atMs) => nowMs - atMs < policy.windowMs), nowMs]
  if (recent.length > policy.restartsMax) return { kind: 'escalate' }
  return { kind: 'restart', delayMs: Math.min(policy.delayMsMin * 2 ** (recent.length - 1), policy.delayMsMax), crashesMs: recent }
}
