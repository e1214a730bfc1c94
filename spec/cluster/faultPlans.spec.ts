/** Whole clusters under generated fault plans: every rule of the checkers holds, and all nodes agree in the end. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FaultPlan, renderPlan } from '../../src/simulation/faults/faultPlan.js'
import { type SimulateOptions, simulate } from '../../src/simulation/simulate.js'
import { faultPlans } from '../../src/testing/faultPlanArbitraries.js'
import { runs } from '../support/runs.js'

const minutes = 60_000
const nodes = 3
const virtualMs = 10 * minutes
const names = ['master', 'w1', 'w2']

const replay = (seed: number, plan: FaultPlan): string =>
  `npm run simulate -- --nodes ${nodes} --seed ${seed} --virtual-hours ${virtualMs / 3_600_000} --plan '${renderPlan(plan)}'`

const run = async (options: Pick<SimulateOptions, 'seed' | 'plan'>) => simulate({ nodes, virtualMs, ...options })

describe('a cluster under a fault plan', () => {
  it('breaks no rule under faults, converges once they end, and leaves nothing behind', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), faultPlans({ nodes: names, durationMs: virtualMs, faultsMax: 25 }), async (seed, plan) => {
        const report = await run({ seed, plan })
        expect(report.violations, replay(seed, plan)).toEqual([])
      }),
      { numRuns: runs(15) },
    ))

  it('runs to the same trace each time for the same seed and plan', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), faultPlans({ nodes: names, durationMs: virtualMs, faultsMax: 25 }), async (seed, plan) => {
        const first = await run({ seed, plan })
        const second = await run({ seed, plan })
        expect(second.traceHash, replay(seed, plan)).toBe(first.traceHash)
        expect(second.events).toBe(first.events)
      }),
      { numRuns: 4 },
    ))
})
