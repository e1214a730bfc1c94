/** What nodes report on agents, and what operators do to them: whole simulated clusters against the simplest possible model. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { type FaultKind, type FaultPlan, faultKinds, faultTable, renderPlan } from '../../../src/simulation/faults/faultPlan.js'
import { schedulePlan } from '../../../src/simulation/faults/schedulePlan.js'
import { simulate } from '../../../src/simulation/simulate.js'
import { faultPlans, nodeNames } from '../../../src/testing/faultPlanArbitraries.js'
import { runs } from '../../support/runs.js'

const agents = 4
const nodes = nodeNames(2)
const safetyMs = 180_000

const kindsOf = (...wanted: readonly string[]): readonly FaultKind[] =>
  faultKinds.filter((kind) => wanted.includes(kind) || wanted.includes(faultTable[kind].of))

const visits = kindsOf('agentConnects', 'agentMoves', 'agentTwice', 'agentShutsDown', 'agentLost')
const troubles = kindsOf('network', 'crash', 'tableLocked', 'workerTableDamaged')

/** Clocks are wrong by minutes from the start; only the master's counts. */
const skews = fc.array(fc.integer({ min: -600_000, max: 600_000 }), { minLength: 2, maxLength: 2 })
const plansOf = (kinds: readonly FaultKind[], faultsMax: number, durationMs = safetyMs) =>
  faultPlans({ nodes, durationMs, kinds, faultsMax })

/** Runs a plan to its end, then checks everything that has to hold after the repairs. */
const run = async (seed: number, [first = 0, second = 0]: readonly number[], plan: FaultPlan, durationMs = safetyMs): Promise<void> => {
  const cluster = new SimulatedCluster({ seed, nodes: nodes.length })
  cluster.jumpClock('w1', first)
  cluster.jumpClock('w2', second)
  cluster.agents.populate(agents, ['default', 'web', 'db'])
  cluster.startAll()
  await cluster.clock.advance(5_000)
  const endPlan = schedulePlan(cluster, plan)
  await cluster.clock.advance(durationMs)
  endPlan()
  cluster.heal()
  await cluster.converge()
  await cluster.stopAll()
  expect(cluster.violations, renderPlan(plan)).toEqual([])
}

describe('agents', () => {
  it('end with the newest report on each, whatever the clocks, the order and the faults', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), skews, plansOf(visits, 15), plansOf(troubles, 5), (seed, clocks, said, plan) =>
        run(seed, clocks, [...said, ...plan]),
      ),
      { numRuns: runs(12) },
    ))

  it('that are enrolled, removed and grouped during a sync end the same everywhere, none lost', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), plansOf(kindsOf('agents'), 25), plansOf(troubles, 3), (seed, done, plan) =>
        run(seed, [], [...done, ...plan]),
      ),
      { numRuns: runs(20) },
    ))

  it('whose worker was cut off for an hour belong to the node of their last report', () =>
    fc.assert(
      fc.asyncProperty(fc.nat(), skews, plansOf(visits, 12, 3_600_000), (seed, clocks, said) =>
        run(seed, clocks, [{ atMs: 1_000, kind: 'isolate', node: 'w1', durationMs: 3_500_000 }, ...said], 3_600_000),
      ),
      { numRuns: 5 },
    ))

  it('keep reports to a worker that does not know yet that the clock of the master was set back', () =>
    run(
      1,
      [],
      [
        { atMs: 1_000, kind: 'clockJump', node: 'master', jumpMs: -60_000 },
        { atMs: 1_100, kind: 'agentConnects', node: 'w1', agent: 1, durationMs: 500 },
      ],
    ))

  it('keep reports made to a worker before the clock of the master was set back and sent afterwards', () =>
    run(
      1,
      [],
      [
        { atMs: 900, kind: 'isolate', node: 'w1', durationMs: 120_000 },
        { atMs: 1_000, kind: 'agentConnects', node: 'w1', agent: 1, durationMs: 500 },
        { atMs: 2_000, kind: 'clockJump', node: 'master', jumpMs: -600_000 },
      ],
    ))

  it('are not compared before a restarted worker has corrected and sent what it knows', async () => {
    const plan: FaultPlan = [
      { atMs: 0, kind: 'crash', node: 'w2', durationMs: 0 },
      { atMs: 0, kind: 'crash', node: 'w1', durationMs: 0 },
      { atMs: 1_412_384, kind: 'agentTwice', a: 'w2', b: 'master', agent: 17, durationMs: 230_050 },
      { atMs: 1_621_651, kind: 'crash', node: 'w2', durationMs: 4_839 },
      { atMs: 1_632_434, kind: 'kill', node: 'master', durationMs: 159_003 },
    ]
    expect((await simulate({ seed: 70_002_455, nodes: 3, virtualMs: 1_800_000, plan })).violations).toEqual([])
  })

  it('keep reports from before the worker knew the time, even if its table was locked when it did', () =>
    run(
      31_001_150,
      [],
      [
        { atMs: 100, kind: 'crash', node: 'master', durationMs: 47_080 },
        { atMs: 200, kind: 'kill', node: 'w1', durationMs: 0 },
        { atMs: 10_000, kind: 'agentConnects', node: 'w1', agent: 1, durationMs: 500 },
        { atMs: 47_000, kind: 'tableLocked', node: 'w1', durationMs: 40_000 },
      ],
    ))

  it('keep reports to a table that was recreated while an answer about the one before was on its way', async () => {
    const plan: FaultPlan = [
      { atMs: 0, kind: 'kill', node: 'w2', durationMs: 10_051 },
      { atMs: 0, kind: 'agentTwice', a: 'master', b: 'w2', agent: 74, durationMs: 0 },
      { atMs: 6, kind: 'enrolAgent', node: 'w1' },
      { atMs: 683_576, kind: 'tableLocked', node: 'master', durationMs: 291_792 },
      { atMs: 950_681, kind: 'workerTableDamaged', node: 'w2' },
      { atMs: 960_631, kind: 'agentShutsDown', node: 'w2', agent: 41 },
    ]
    expect((await simulate({ seed: 52_002_787, nodes: 3, virtualMs: 1_440_000, plan })).violations).toEqual([])
  })
})
