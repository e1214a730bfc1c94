/** Simulated clusters whose nodes stand beside real managers: what any wazuh-db took ends in the master's, and groups in all of them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type FaultPlan, faultKinds, renderPlan } from '../../../src/simulation/faults/faultPlan.js'
import { type SimulateOptions, simulate } from '../../../src/simulation/simulate.js'
import { faultPlans } from '../../../src/testing/faultPlanArbitraries.js'
import { runs } from '../../support/runs.js'

const minutes = 60_000
const nodes = ['master', 'w1', 'w2']
const virtualMs = 6 * minutes
const run = (options: Partial<SimulateOptions>) => simulate({ seed: 1, nodes: nodes.length, virtualMs, manager: 'wazuh', ...options })
const replay = (seed: number, plan: FaultPlan): string =>
  `npm run simulate -- --nodes ${nodes.length} --seed ${seed} --manager wazuh --virtual-hours 0.1 --plan '${renderPlan(plan)}'`

describe('a cluster of real managers', () => {
  it('ends with the newest of every agent, and with its groups, whatever failed', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), faultPlans({ nodes, durationMs: virtualMs, faultsMax: 20 }), async (seed, plan) => {
        expect((await run({ seed, plan })).violations, replay(seed, plan)).toEqual([])
      }),
      { numRuns: runs(4) },
    ))

  it('does so when wazuh-db fails all the time, and runs to the same trace each time', async () => {
    const kinds = faultKinds.filter((kind) => kind.startsWith('wazuhDb') || kind.startsWith('agent') || kind === 'kill')
    const [first, second] = [await run({ seed: 7, kinds, faultsPerHour: 400 }), await run({ seed: 7, kinds, faultsPerHour: 400 })]
    expect(first.violations).toEqual([])
    expect(second.traceHash).toBe(first.traceHash)
  })

  it("keeps what a worker's wazuh-db said once when the table is recreated before it was sent", async () => {
    const plan: FaultPlan = [
      { atMs: minutes, kind: 'partition', a: 'master', b: 'w1', durationMs: 2 * minutes },
      { atMs: 1.5 * minutes, kind: 'agentMoves', a: 'master', b: 'w1', agent: 0, durationMs: 0 },
      { atMs: 2 * minutes, kind: 'workerTableDamaged', node: 'w1' },
    ]
    expect((await run({ plan })).violations).toEqual([])
  })
})

describe('a cluster whose agents come by a load balancer and whose nodes show certificates', () => {
  it('is what operators said, has all nodes in, and serves them alike, whatever failed', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), faultPlans({ nodes, durationMs: virtualMs, faultsMax: 20 }), async (seed, plan) => {
        const report = await run({ seed, plan, manager: 'none', agents: 4, balancer: true, tls: true })
        expect(report.violations, `${replay(seed, plan)} --manager none --agents 4 --balancer --tls`).toEqual([])
      }),
      { numRuns: runs(4) },
    ))
})
