/** How long a worker waits before it dials the master again. */

export interface RedialPolicy {
  readonly delayMsMin: number
  /** `connection_retry`. */
  readonly delayMsMax: number
}

/**
 * Grows by half each time, so that the wait stays in proportion to how long the master has been away, and is cut at random
 * by up to half, so that workers do not come back all at once. A refusal that only an operator can fix waits the longest.
 *
 * @param fraction uniform in [0, 1)
 */
export const redialDelayMs = (failedDials: number, refused: boolean, fraction: number, policy: RedialPolicy): number => {
  const full = refused ? policy.delayMsMax : Math.min(policy.delayMsMax, policy.delayMsMin * 1.5 ** failedDials)
  return full * (1 - fraction / 2)
}
