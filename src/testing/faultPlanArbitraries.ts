/** Fault plans for fast-check: generated over the table of faults, shrunk to fewer, earlier and shorter faults on fewer nodes. */
import fc from 'fast-check'
import { invariant } from '../base/invariant.js'
import {
  diskErrnos,
  diskOperations,
  type Fault,
  type FaultFields,
  type FaultKind,
  type FaultPlan,
  faultKinds,
  fieldsOf,
  inOrder,
  isFault,
  keysDamages,
  serverStates,
} from '../simulation/faults/faultPlan.js'
import {
  defaultFaultPaths,
  defaultGroupLists,
  defaultGroupNames,
  linkTargets,
  type PlanOptions,
  placed,
} from '../simulation/faults/randomPlan.js'

export interface FaultPlanConstraints extends PlanOptions {
  /** Every fault begins within it. */
  readonly durationMs: number
  /** All when left out. */
  readonly kinds?: readonly FaultKind[]
  readonly faultsMax?: number
  readonly sizeMax?: number
}

const fieldArbitraries = (constraints: FaultPlanConstraints): { readonly [F in keyof FaultFields]: fc.Arbitrary<FaultFields[F]> } => {
  const node = fc.constantFrom(...constraints.nodes)
  return {
    node,
    by: node,
    a: node,
    b: node,
    durationMs: fc.oneof({ arbitrary: fc.nat(10_000), weight: 3 }, fc.nat(Math.max(10_000, Math.min(120_000, constraints.durationMs)))),
    latencyMs: fc.oneof({ arbitrary: fc.nat(100), weight: 3 }, fc.nat(5_000)),
    bytesPerSecond: fc.integer({ min: 1_000, max: 1_000_000 }),
    jumpMs: fc.oneof(fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: -86_400_000, max: 86_400_000 })),
    operation: fc.constantFrom(...diskOperations),
    errno: fc.constantFrom(...diskErrnos),
    path: fc.constantFrom(...(constraints.paths ?? defaultFaultPaths)),
    target: fc.constantFrom(...linkTargets),
    contentSeed: fc.nat(),
    size: fc.oneof(fc.nat(100), fc.nat(constraints.sizeMax ?? 20_000)),
    mode: fc.constantFrom(0o660, 0o640, 0o600, 0o400, 0o777, 0o000),
    agent: fc.nat(20),
    group: fc.constantFrom(...defaultGroupNames),
    groups: fc.constantFrom(...defaultGroupLists),
    damage: fc.constantFrom(...keysDamages),
    validMs: fc.nat(60_000),
    serverState: fc.constantFrom(...serverStates),
    requests: fc.nat(10),
  }
}

/** One fault of one of the kinds, on two different nodes where it takes two, a worker's edit on a worker. */
export const faults = (constraints: FaultPlanConstraints): fc.Arbitrary<Fault> => {
  const fields = fieldArbitraries(constraints)
  const atMs = fc.nat(constraints.durationMs)
  const one = (kind: FaultKind): fc.Arbitrary<Fault> => {
    const model: Record<string, fc.Arbitrary<unknown>> = { atMs, kind: fc.constant(kind) }
    for (const field of fieldsOf(kind)) model[field] = fields[field]
    return fc.record(model).map((fault) => {
      invariant(isFault(fault), 'a generated fault is a fault')
      return placed(fault, constraints.nodes)
    })
  }
  return fc.oneof(...(constraints.kinds ?? faultKinds).map(one))
}

/** A plan in order of time; it shrinks to fewer, earlier and shorter faults. */
export const faultPlans = (constraints: FaultPlanConstraints): fc.Arbitrary<FaultPlan> =>
  constraints.kinds?.length === 0 ? fc.constant([]) : fc.array(faults(constraints), { maxLength: constraints.faultsMax ?? 12 }).map(inOrder)

/** The names of a cluster's nodes, the master first. */
export const nodeNames = (workers: number): readonly string[] => [
  'master',
  ...Array.from({ length: workers }, (_, index) => `w${index + 1}`),
]

/** A cluster and a plan for it, which shrink together: with fewer workers the faults move to those that are left. */
export const clusterPlans = (
  constraints: Omit<FaultPlanConstraints, 'nodes'> & { readonly workersMax: number },
): fc.Arbitrary<{ readonly nodes: readonly string[]; readonly plan: FaultPlan }> => {
  const all = nodeNames(constraints.workersMax)
  return fc
    .tuple(fc.integer({ min: 1, max: constraints.workersMax }), faultPlans({ ...constraints, nodes: all }))
    .map(([workers, plan]) => {
      const nodes = nodeNames(workers)
      const moved = (name: string): string => (nodes.includes(name) ? name : `w${((all.indexOf(name) - 1) % workers) + 1}`)
      return { nodes, plan: plan.map((fault) => placed(movedFault(fault, moved), nodes)) }
    })
}

const movedFault = (fault: Fault, moved: (name: string) => string): Fault => {
  if ('by' in fault) return { ...fault, by: moved(fault.by), node: moved(fault.node) }
  if ('node' in fault) return { ...fault, node: moved(fault.node) }
  return 'a' in fault ? { ...fault, a: moved(fault.a), b: moved(fault.b) } : fault
}
