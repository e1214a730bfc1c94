import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type FaultPlan,
  faultClasses,
  faultKinds,
  faultTable,
  fieldRules,
  isFault,
  parseFaultKinds,
  parsePlan,
  renderPlan,
} from '../../../src/simulation/faults/faultPlan.js'
import { randomPlan } from '../../../src/simulation/faults/randomPlan.js'
import { type Shrinking, shrinkPlan } from '../../../src/simulation/faults/shrinkPlan.js'
import { SeededRandom } from '../../../src/simulation/world/seededRandom.js'
import { clusterPlans, faultPlans } from '../../../src/testing/faultPlanArbitraries.js'

const nodes = ['master', 'w1', "it's w2"]
const plans = faultPlans({ nodes, durationMs: 3_600_000, faultsMax: 30 })
const hour = 3_600_000

const sentence = (text: string): string => {
  const parsed = parsePlan(text)
  if (parsed.ok) throw new Error(`was taken: ${text}`)
  return parsed.error.message
}

describe("a plan's text", () => {
  it('holds the whole plan, on one line that may be put between apostrophes', () =>
    fc.assert(
      fc.property(plans, (plan) => {
        const text = renderPlan(plan)
        expect(text).not.toMatch(/['\n]/)
        expect(parsePlan(text)).toEqual({ ok: true, value: plan })
      }),
    ))

  it('that is not valid is refused with a sentence, never with a crash', () =>
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const parsed = parsePlan(text)
        if (!parsed.ok) expect(parsed.error.message).toMatch(/^(The fault plan|Fault \d+ of the plan).*\.$/s)
        else for (const fault of parsed.value) expect(isFault({ ...fault })).toBe(true)
      }),
    ))

  it.each([
    ['{}', 'The fault plan is not a list of faults.'],
    ['[5]', 'Fault 1 of the plan: it is not a list such as [1500, "crash", "w1", 3000].'],
    ['[[1,"reset","a","b"],[1,"reboot","w1"]]', 'Fault 2 of the plan: "reboot" is not a kind of fault; allowed are crash, kill, '],
    ['[[1,"crash","w1"]]', "Fault 1 of the plan: 'crash' takes 2 values (node, durationMs), not 1."],
    ['[[1,"crash","w1",-5]]', "Fault 1 of the plan: 'durationMs' of 'crash' is -5; allowed is a whole number from 0 to 2147483647."],
    ['[[null,"crash","w1",5]]', "Fault 1 of the plan: 'atMs' of 'crash' is null; allowed is a whole number from 0 to"],
    [
      '[[1,"deleteMasterFile","../x"]]',
      "Fault 1 of the plan: 'path' of 'deleteMasterFile' is \"../x\"; allowed is a path below the home, without . and ...",
    ],
    ['[[1,"diskFault","w1","read","EEEK",1]]', "Fault 1 of the plan: 'errno' of 'diskFault' is \"EEEK\"; allowed is one of EIO, "],
  ])('names the mistake in %s', (text, says) => expect(sentence(text)).toContain(says))
})

describe('kinds of faults', () => {
  it('are chosen by all, none, classes and kinds', () => {
    expect(parseFaultKinds('all')).toEqual({ ok: true, value: faultKinds })
    expect(parseFaultKinds('none')).toEqual({ ok: true, value: [] })
    for (const of of faultClasses)
      expect(parseFaultKinds(of)).toEqual({ ok: true, value: faultKinds.filter((kind) => faultTable[kind].of === of) })
    expect(parseFaultKinds('edits,reset')).toMatchObject({ ok: true, value: expect.arrayContaining(['reset', 'editMaster']) })
    expect(parseFaultKinds('netwrok')).toMatchObject({
      ok: false,
      error: { message: expect.stringContaining("no faults called 'netwrok'") },
    })
  })

  it('have a rule for each of their fields', () => {
    for (const kind of faultKinds) for (const field of faultTable[kind].fields) expect(fieldRules[field]).toBeDefined()
  })
})

describe('a random plan', () => {
  it('is the same for the same seed, ordered, within its time and kinds, as long as asked, and parses', () =>
    fc.assert(
      fc.property(fc.nat(), fc.subarray([...faultKinds], { minLength: 1 }), fc.integer({ min: 1, max: 100 }), (seed, kinds, perHour) => {
        const options = { nodes, durationMs: 2 * hour, kinds, perHour }
        const plan = randomPlan(new SeededRandom(seed), options)
        expect(randomPlan(new SeededRandom(seed), options)).toEqual(plan)
        expect(plan).toHaveLength(2 * perHour)
        expect(plan.every((fault) => kinds.includes(fault.kind) && fault.atMs <= 2 * hour)).toBe(true)
        expect(parsePlan(renderPlan(plan))).toEqual({ ok: true, value: plan })
        for (const fault of plan) if ('a' in fault) expect(fault.a).not.toBe(fault.b)
      }),
      { numRuns: 50 },
    ))

  it('makes a removed node ready again within ten minutes, unless it ends before', () => {
    const plan = randomPlan(new SeededRandom(2), { nodes, durationMs: 24 * hour, kinds: faultKinds, perHour: 60 })
    const returns = (node: string, atMs: number): boolean =>
      plan.some((fault) => fault.kind === 'readyNode' && fault.node === node && fault.atMs >= atMs && fault.atMs <= atMs + hour / 6)
    const removals = plan.flatMap((fault) => (fault.kind === 'removeNode' && fault.atMs < 23 * hour ? [fault] : []))
    expect(removals.length).toBeGreaterThan(5)
    for (const { atMs, node } of removals) expect(returns(node, atMs)).toBe(true)
  })

  it('has every kind of fault, and edits workers on workers only', () => {
    const plan = randomPlan(new SeededRandom(1), { nodes, durationMs: 24 * hour, kinds: faultKinds, perHour: 60 })
    expect(new Set(plan.map((fault) => fault.kind))).toEqual(new Set(faultKinds))
    for (const fault of plan) if (fault.kind === 'editWorker') expect(fault.node).not.toBe('master')
  })
})

/** A planted bug: some node is edited while the master is away. */
const showsBug = (plan: FaultPlan): boolean =>
  plan.some(
    (away) =>
      away.kind === 'crash' &&
      away.node === 'master' &&
      plan.some((edit) => edit.kind === 'editWorker' && edit.atMs > away.atMs && edit.atMs < away.atMs + away.durationMs && edit.size >= 7),
  )

describe('shrinking', () => {
  const minimal = [
    { atMs: 0, kind: 'crash', node: 'master', durationMs: 2 },
    { atMs: 1, kind: 'editWorker', node: 'w1', size: 7 },
  ]

  it('by the simulate command finds the faults that matter, and their smallest values', async () => {
    const noise = randomPlan(new SeededRandom(2), {
      nodes,
      durationMs: hour,
      kinds: faultKinds.filter((kind) => kind !== 'crash'),
      perHour: 150,
    })
    const planted: FaultPlan = [
      { atMs: 1_000_000, kind: 'crash', node: 'master', durationMs: 120_000 },
      { atMs: 1_060_000, kind: 'editWorker', node: 'w1', path: 'etc/rules/x.xml', contentSeed: 99, size: 5_000 },
    ]
    let runs = 0
    const shrunk = await shrinkPlan(
      [...noise, ...planted],
      async (plan) => {
        runs++
        return showsBug(plan)
      },
      400,
    )
    expect(shrunk).toMatchObject(minimal)
    expect(runs).toBeLessThanOrEqual(400)
  })

  it('never runs more often than its budget, says how far it is, and always leaves a plan that fails', () =>
    fc.assert(
      fc.asyncProperty(plans, fc.nat(60), fc.integer({ min: 1, max: 3 }), async (plan, runsMax, needed) => {
        const fails = (candidate: FaultPlan): boolean => candidate.filter((fault) => 'node' in fault).length >= needed
        fc.pre(fails(plan))
        let runs = 0
        const said: Shrinking[] = []
        const shrunk = await shrinkPlan(
          plan,
          async (candidate) => {
            runs++
            return fails(candidate)
          },
          runsMax,
          (shrinking) => said.push(shrinking),
        )
        expect(runs).toBeLessThanOrEqual(runsMax)
        expect(said.map(({ tried }) => tried)).toEqual(Array.from({ length: runs }, (_, index) => index + 1))
        expect(said.at(-1)?.faultsLeft ?? plan.length).toBe(shrunk.length)
        expect(fails(shrunk)).toBe(true)
      }),
      { numRuns: 50 },
    ))

  it('by fast-check finds the smallest plan and the smallest cluster', () => {
    const details = fc.check(
      fc.property(
        clusterPlans({ workersMax: 9, durationMs: hour, kinds: ['crash', 'editWorker', 'reset', 'latency'] }),
        ({ plan }) => !showsBug(plan),
      ),
      { numRuns: 5_000, seed: 5 },
    )
    const [least] = details.counterexample ?? []
    expect(least?.nodes).toEqual(['master', 'w1'])
    expect(least?.plan).toHaveLength(2)
    expect(least?.plan).toMatchObject([
      { kind: 'crash', node: 'master' },
      { kind: 'editWorker', node: 'w1', size: 7 },
    ])
  })
})

describe("a cluster's plan", () => {
  it('names only nodes of the cluster, and two different ones where it needs two', () =>
    fc.assert(
      fc.property(clusterPlans({ workersMax: 5, durationMs: hour, faultsMax: 30 }), ({ nodes: names, plan }) => {
        for (const fault of plan) {
          if ('node' in fault) expect(names).toContain(fault.node)
          if ('a' in fault) {
            expect(names).toEqual(expect.arrayContaining([fault.a, fault.b]))
            expect(fault.a).not.toBe(fault.b)
          }
          if (fault.kind === 'editWorker') expect(fault.node).not.toBe('master')
        }
      }),
    ))
})
