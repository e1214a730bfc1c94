/** Makes a plan that fails small: fewer faults first (delta debugging), then shorter, earlier and smaller ones. */
import { type FaultPlan, inOrder, isFault } from './faultPlan.js'

/** How far it is. */
export interface Shrinking {
  /** Plans that were run. */
  readonly tried: number
  /** Of the smallest plan yet that fails. */
  readonly faultsLeft: number
}

/**
 * A plan that still fails and from which no single fault can be left out, as far as `runsMax` runs of `fails` allow; `plan` itself must
 * fail. `fails` must say the same for the same plan.
 */
export const shrinkPlan = async (
  plan: FaultPlan,
  fails: (candidate: FaultPlan) => Promise<boolean>,
  runsMax: number,
  onTried?: (shrinking: Shrinking) => void,
): Promise<FaultPlan> => {
  let tried = 0
  let faultsLeft = plan.length
  const stillFails = async (candidate: FaultPlan): Promise<boolean> => {
    if (tried >= runsMax) return false
    tried++
    const failed = await fails(candidate)
    if (failed) faultsLeft = candidate.length
    onTried?.({ tried, faultsLeft })
    return failed
  }
  const fewer = await withoutNeedless(plan, stillFails)
  return withoutExcess(fewer, stillFails)
}

type Fails = (candidate: FaultPlan) => Promise<boolean>

/** Leaves out pieces of the plan, from halves down to single faults, for as long as it fails without them. */
const withoutNeedless = async (plan: FaultPlan, fails: Fails): Promise<FaultPlan> => {
  let kept = plan
  let pieceLength = Math.max(1, Math.ceil(kept.length / 2))
  for (;;) {
    let shrunk = false
    for (let start = 0; start < kept.length; ) {
      const candidate = [...kept.slice(0, start), ...kept.slice(start + pieceLength)]
      if (await fails(candidate)) {
        kept = candidate
        shrunk = true
      } else start += pieceLength
    }
    if (pieceLength > 1) pieceLength = Math.ceil(pieceLength / 2)
    else if (!shrunk) return kept
  }
}

/** Values that are simpler when they are nearer to zero; the simplest first. */
const reducible = ['durationMs', 'size', 'latencyMs', 'jumpMs', 'contentSeed', 'atMs'] as const

const withoutExcess = async (plan: FaultPlan, fails: Fails): Promise<FaultPlan> => {
  let kept = await begunAtOnce(plan, fails)
  for (;;) {
    const before = kept
    for (let index = 0; index < kept.length; index++) for (const field of reducible) kept = await withLeast(kept, index, field, fails)
    if (kept === before) return inOrder(kept)
  }
}

/** What comes before the first fault seldom matters, and no single fault can be moved without the others. */
const begunAtOnce = async (plan: FaultPlan, fails: Fails): Promise<FaultPlan> => {
  const [first] = inOrder(plan)
  if (first === undefined || first.atMs === 0) return plan
  const earlier = plan.map((fault) => ({ ...fault, atMs: fault.atMs - first.atMs }))
  return (await fails(inOrder(earlier))) ? earlier : plan
}

/** The plan with one value as near to zero as it still fails with; the same plan when it cannot be reduced. */
const withLeast = async (plan: FaultPlan, index: number, field: (typeof reducible)[number], fails: Fails): Promise<FaultPlan> => {
  const fault = plan[index]
  const value: unknown = fault && Object.entries(fault).find(([name]) => name === field)?.[1]
  if (typeof value !== 'number' || value === 0) return plan
  const attempt = async (less: number): Promise<FaultPlan | undefined> => {
    const smaller: Record<string, unknown> = { ...fault, [field]: less }
    if (!isFault(smaller)) return undefined
    const candidate = plan.map((other, at) => (at === index ? smaller : other))
    return (await fails(inOrder(candidate))) ? candidate : undefined
  }
  let least = await attempt(0)
  if (least) return least
  let passes = 0
  let failing = value
  while (Math.abs(failing - passes) > 1) {
    const middle = Math.trunc((passes + failing) / 2)
    const candidate = await attempt(middle)
    if (candidate) {
      least = candidate
      failing = middle
    } else passes = middle
  }
  return least ?? plan
}
