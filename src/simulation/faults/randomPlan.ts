/** Fault plans drawn from a seed, for runs that are too long to leave every choice to a property test. */
import { invariant } from '../../base/invariant.js'
import type { SeededRandom } from '../world/seededRandom.js'
import {
  diskErrnos,
  diskOperations,
  type Fault,
  type FaultFields,
  type FaultKind,
  type FaultPlan,
  faultTable,
  fieldsOf,
  inOrder,
  isFault,
  keysDamages,
  serverStates,
} from './faultPlan.js'

/** Names that have given programs trouble, in every kind of synced directory. */
export const defaultFaultPaths: readonly string[] = [
  'etc/rules/local_rules.xml',
  'etc/rules/a rule "quoted".xml',
  'etc/decoders/local_decoder.xml',
  'etc/decoders/deep/er/and/deeper.xml',
  'etc/lists/audit-keys',
  'etc/lists/größe\nsecond line',
  'etc/shared/default/agent.conf',
  'etc/shared/default/empty.txt',
  "etc/shared/group's/agent.conf",
  'etc/sca/policy.yml',
  'var/multigroups/abc/merged.mg',
]

/** Groups of the simulation's agents. The last ones are there only once somebody creates them. */
export const defaultGroupNames: readonly string[] = ['default', 'web', 'db', 'new-1', 'new.2']
export const defaultGroupLists: readonly string[] = ['default', 'web', 'web,db', 'db,web', 'default,web,db', 'db,new-1']

export interface PlanOptions {
  /** The master first. */
  readonly nodes: readonly string[]
  readonly paths?: readonly string[]
  /** Hosts that are not nodes, and whose ways to nodes may be disturbed. */
  readonly peers?: readonly string[]
}

export interface RandomPlanOptions extends PlanOptions {
  readonly durationMs: number
  readonly kinds: readonly FaultKind[]
  /** Faults in an hour, on average. */
  readonly perHour: number
}

const sizesMax = [0, 100, 10_000, 300_000]
const modes = [0o000, 0o400, 0o600, 0o640, 0o660, 0o777]
/** Where a link may lead: inside, away, out of the home, to itself, nowhere. */
export const linkTargets: readonly string[] = [
  'local_rules.xml',
  '../shared/default/agent.conf',
  '../../../outside',
  '/etc/passwd',
  '.',
  'nowhere',
]

const drawField: { readonly [F in keyof FaultFields]: (random: SeededRandom, options: RandomPlanOptions) => FaultFields[F] } = {
  node: (random, { nodes }) => random.pick(nodes),
  by: (random, { nodes }) => random.pick(nodes),
  a: (random, { nodes }) => random.pick(nodes),
  b: (random, { nodes }) => random.pick(nodes),
  // Mostly short, sometimes longer than every timeout.
  durationMs: (random) => random.integer(0, random.pick([1_000, 10_000, 60_000, 300_000])),
  latencyMs: (random) => random.integer(0, random.pick([50, 500, 5_000])),
  bytesPerSecond: (random) => random.integer(1_000, random.pick([10_000, 1_000_000])),
  jumpMs: (random) => random.integer(-1, 1) * random.integer(0, random.pick([3_000, 60_000, 86_400_000])) + 0,
  operation: (random) => random.pick(diskOperations),
  errno: (random) => random.pick(diskErrnos),
  path: (random, { paths }) => random.pick(paths ?? defaultFaultPaths),
  target: (random) => random.pick(linkTargets),
  contentSeed: (random) => random.integer(0, 2 ** 32 - 1),
  size: (random) => random.integer(0, random.pick(sizesMax)),
  mode: (random) => random.pick(modes),
  agent: (random) => random.integer(0, 99),
  group: (random) => random.pick(defaultGroupNames),
  groups: (random) => random.pick(defaultGroupLists),
  damage: (random) => random.pick(keysDamages),
  validMs: (random) => random.integer(0, random.pick([1_000, 60_000, 600_000])),
  serverState: (random) => random.pick(serverStates),
  requests: (random) => random.integer(1, random.pick([1, 3, 30])),
}

/** Kinds whose name says that they befall a worker. */
export const workerKinds: ReadonlySet<FaultKind> = new Set(['editWorker', 'deleteWorkerFile', 'addExtraFile', 'workerTableDamaged'])

/** Puts a fault where it can happen: two different ends, a worker's edit on a worker. */
export const placed = (fault: Fault, nodes: readonly string[]): Fault => {
  const [master, firstWorker] = nodes
  if (master === undefined || firstWorker === undefined) return fault
  if ('a' in fault && fault.a === fault.b) return { ...fault, b: fault.a === master ? firstWorker : master }
  if (workerKinds.has(fault.kind) && 'node' in fault && fault.node === master) return { ...fault, node: firstWorker }
  return fault
}

const peerShare = 0.4

/** Some faults of the network are between a node and another host. */
const withPeer = (fault: Fault, random: SeededRandom, { peers = [] }: PlanOptions): Fault =>
  peers.length > 0 && 'b' in fault && faultTable[fault.kind].of === 'network' && random.chance(peerShare)
    ? { ...fault, b: random.pick(peers) }
    : fault

const removedMsMax = 600_000

/** A node that was removed is made ready again later: else few nodes would be left after a day, and those dial for nothing. */
const returnOf = (fault: Fault, random: SeededRandom, { durationMs, kinds }: RandomPlanOptions): Fault | undefined => {
  if (fault.kind !== 'removeNode' || !kinds.includes('readyNode')) return undefined
  const atMs = fault.atMs + random.integer(0, removedMsMax)
  return atMs > durationMs ? undefined : { ...fault, atMs, kind: 'readyNode' }
}

/** The same plan for the same random and options. */
export const randomPlan = (random: SeededRandom, options: RandomPlanOptions): FaultPlan => {
  if (options.kinds.length === 0) return []
  const count = Math.round((options.perHour * options.durationMs) / 3_600_000)
  const plan: Fault[] = []
  while (plan.length < count) {
    const kind = random.pick(options.kinds)
    const values: [string, unknown][] = fieldsOf(kind).map((field) => [field, drawField[field](random, options)])
    const fault = { atMs: random.integer(0, options.durationMs), kind, ...Object.fromEntries(values) }
    invariant(isFault(fault), 'a drawn fault is a fault')
    plan.push(withPeer(placed(fault, options.nodes), random, options))
    const back = returnOf(fault, random, options)
    if (back && plan.length < count) plan.push(back)
  }
  return inOrder(plan)
}
