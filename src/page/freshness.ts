/** Whether what is shown is true now, and what to say when it is not. */

/** The service says something every 5 s. */
export const silentMsMax = 12_000
/** A stream that is reopened sooner than this is not worth a word. */
const brokenMsMax = 3_000

export type StreamLife =
  | { readonly kind: 'connecting' | 'open' | 'paused' | 'signedOut' }
  | { readonly kind: 'broken'; readonly reason: string }

export interface FreshnessInput {
  readonly life: StreamLife
  /** Since the last message that said how the cluster is; undefined before the first. */
  readonly silentMs: number | undefined
  /** The node's, when it cannot say. */
  readonly problem: string | undefined
}

export interface Freshness {
  readonly kind: 'never' | 'live' | 'stale'
  /** Why, unless it is live. */
  readonly reason: string
}

const reasonOf = ({ life, problem }: FreshnessInput): string => {
  if (life.kind === 'broken') return life.reason
  if (problem !== undefined) return problem
  return life.kind === 'open' ? 'The node says nothing.' : 'Connecting…'
}

export const freshnessOf = (input: FreshnessInput): Freshness => {
  const { life, problem, silentMs } = input
  if (silentMs === undefined) return { kind: 'never', reason: reasonOf(input) }
  const isLive = problem === undefined && silentMs <= (life.kind === 'open' ? silentMsMax : brokenMsMax)
  return isLive ? { kind: 'live', reason: '' } : { kind: 'stale', reason: reasonOf(input) }
}
