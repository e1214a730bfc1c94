/** Figures of nodes that are well, and any figures at all. */
import fc from 'fast-check'
import type { DurationFigures, NodeFigures, WorkerFigures } from '../../src/domain/cluster/nodeFigures.js'
import { nodeStates } from '../../src/domain/cluster/nodeState.js'

export const nowMs = 1_795_000_000_000

const noDurations: DurationFigures = { counts: [{ seconds: 1, count: 0 }], count: 0, sumSeconds: 0 }

export const wellWorker = (name: string): WorkerFigures => ({
  name,
  state: 'ready',
  isConnected: true,
  sinceMs: nowMs - 3_600_000,
  leftFor: undefined,
  joined: 1,
  left: {},
  lastKeepAliveMs: nowMs - 10_000,
  clockSkewMs: 3,
  roundTripMs: 0.7,
  sent: { file: 1_000, agents: 30, groups: 20, control: 150 },
  received: { file: 0, agents: 200, groups: 0, control: 100 },
  filesPending: 0,
  filesFailed: 0,
  inSync: true,
  inSyncMs: nowMs - 4_000,
  integrityChecks: 400,
  lastSyncMs: nowMs - 60_000,
  usesPreviousKey: false,
})

const wellNode = {
  cluster: 'wazuh',
  version: '1.0.0',
  startedMs: nowMs - 7_200_000,
  nowMs,
  refusals: {},
  syncedFiles: 120,
  hasScanned: true,
  syncIntervalMs: 9_000,
  diskFull: false,
  filesApplied: { created: 0, updated: 0, deleted: 0 },
  editsUndone: 0,
  integrityChecks: noDurations,
  syncs: noDurations,
  scanSeconds: 0.012,
  watcherOverflows: 0,
  agents: [{ node: 'w1', status: 'active', count: 7 }],
  agentReportsQueued: 0,
  agentReports: 12,
  threadRestarts: {},
  logLines: { info: 30 },
  certificates: [],
  usesPreviousKey: false,
  process: undefined,
}

export const wellMaster = (...workers: readonly WorkerFigures[]): NodeFigures => ({
  ...wellNode,
  ...{ node: 'master', type: 'master', master: undefined, isListening: true, workers, inSyncMs: undefined },
})

export const wellWorkerNode: NodeFigures = {
  ...wellNode,
  ...{ node: 'w1', type: 'worker', isListening: false, workers: [], inSyncMs: nowMs - 2_000 },
  master: { isConnected: true, sinceMs: nowMs - 3_600_000, error: undefined },
}

const count = fc.nat({ max: 1_000_000 })
const timeMs = fc.option(fc.integer({ min: 0, max: 2 * nowMs }), { nil: undefined })
const tally = (names: readonly string[]) => fc.dictionary(fc.constantFrom(...names), count, { maxKeys: names.length })
const traffic = fc.record({ file: count, agents: count, groups: count, control: count })
/** Names that a peer may give itself, and texts that it may send. */
export const hostileText = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'a"b\\c\nd', '<img src=x onerror=alert(1)>', '|x=1', '\u202e', '', '}'),
  fc.string({ unit: 'binary', maxLength: 20 }),
)

const anyWorker: fc.Arbitrary<WorkerFigures> = fc.record({
  name: hostileText,
  state: fc.constantFrom(...nodeStates),
  isConnected: fc.boolean(),
  sinceMs: fc.integer({ min: 0, max: nowMs }),
  leftFor: fc.option(fc.record({ code: fc.constantFrom('linkLost', 'peerStopping'), message: hostileText }), { nil: undefined }),
  joined: count,
  left: tally(['linkLost', 'peerStopping', 'peerSilent']),
  lastKeepAliveMs: timeMs,
  clockSkewMs: fc.option(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { nil: undefined }),
  roundTripMs: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true }), { nil: undefined }),
  sent: traffic,
  received: traffic,
  filesPending: count,
  filesFailed: count,
  inSync: fc.boolean(),
  inSyncMs: timeMs,
  integrityChecks: count,
  lastSyncMs: timeMs,
  usesPreviousKey: fc.boolean(),
})

const certificates = fc.array(
  fc.record({ kind: fc.constantFrom('ca', 'node', 'api'), name: hostileText, endsMs: fc.integer({ min: 0, max: 2 * nowMs }) }),
  { maxLength: 4 },
)

export const anyFigures: fc.Arbitrary<NodeFigures> = fc
  .record({
    workers: fc.uniqueArray(anyWorker, { selector: ({ name }) => name, maxLength: 6 }),
    isMaster: fc.boolean(),
    isListening: fc.boolean(),
    hasScanned: fc.boolean(),
    diskFull: fc.boolean(),
    inSyncMs: timeMs,
    refusals: tally(['handshakeRefused', 'duplicateName']),
    threadRestarts: tally(['integrity', 'listener']),
    usesPreviousKey: fc.boolean(),
    certificates,
    link: fc.record({ isConnected: fc.boolean(), sinceMs: count, error: fc.option(hostileText, { nil: undefined }) }),
    agents: fc.uniqueArray(fc.record({ node: hostileText, status: fc.constantFrom('active', 'pending'), count }), {
      selector: ({ node, status }) => `${status} ${node}`,
      maxLength: 5,
    }),
  })
  .map(({ isMaster, link, workers, ...rest }) => ({
    ...(isMaster ? wellMaster(...workers) : wellWorkerNode),
    ...rest,
    master: isMaster ? undefined : link,
  }))
