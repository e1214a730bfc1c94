/** Rows of nodes, healthy and not, as a master could answer them. */
import fc from 'fast-check'
import { nodeStates } from '../../../../src/domain/cluster/nodeState.js'
import type { NodeOverview } from '../../../../src/domain/queries/clusterAnswer.js'

export const nowMs = 1_795_000_000_000

export const healthyNode: NodeOverview = {
  name: 'worker-1',
  type: 'worker',
  version: '4.14.7',
  address: '10.0.0.2',
  isConnected: true,
  state: 'ready',
  sinceMs: nowMs - 60_000,
  inSync: true,
  files: 120,
  pending: 0,
  failed: 0,
  activeAgents: 3,
  agents: { active: 3 },
  bytesSent: 0,
  bytesReceived: 0,
}

const smallCounts = fc.oneof(fc.constant(0), fc.nat(1_000_000))
const times = fc.integer({ min: nowMs - 10 ** 10, max: nowMs })
const texts = fc.oneof(fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }), fc.constantFrom('worker-1', 'a\u202eb', '<b>', '\u0000'))

const optional = fc.record(
  {
    error: texts,
    lastKeepAliveMs: times,
    clockSkewMs: fc.integer({ min: -20_000, max: 20_000 }),
    roundTripMs: fc.nat(10_000),
    certificateEndsMs: fc.integer({ min: nowMs - 10 ** 10, max: nowMs + 10 ** 11 }),
  },
  { requiredKeys: [] },
)

const required = fc.record({
  name: texts,
  version: fc.constantFrom('4.14.7', '4.13.0', '5.0.0'),
  address: fc.ipV4(),
  isConnected: fc.boolean(),
  state: fc.constantFrom(...nodeStates),
  sinceMs: times,
  inSync: fc.boolean(),
  files: smallCounts,
  pending: smallCounts,
  failed: smallCounts,
  activeAgents: smallCounts,
  agents: fc.dictionary(fc.constantFrom('active', 'disconnected', 'pending', 'never_connected', 'constructor', '__proto__'), smallCounts),
  bytesSent: smallCounts,
  bytesReceived: smallCounts,
})

export const workerRows: fc.Arbitrary<NodeOverview> = fc
  .tuple(required, optional)
  .map(([node, more]) => ({ type: 'worker' as const, ...node, ...more }))

const masterRows: fc.Arbitrary<NodeOverview> = workerRows.map((node) => ({
  ...node,
  type: 'master',
  isConnected: true,
  state: 'ready',
  failed: 0,
}))

/** A master and workers of different names. */
export const clusters: fc.Arbitrary<readonly NodeOverview[]> = fc
  .tuple(masterRows, fc.array(workerRows, { maxLength: 12 }))
  .map(([master, workers]) => [...new Map([master, ...workers].map((node) => [node.name, node])).values()])
