/**
 * The one table of all metrics: name, what it says, and its values out of a snapshot. Labels are names of nodes, codes, threads and levels, never
 * agents or files. Names and units are as Prometheus has them: seconds, bytes, counters end in `_total`.
 */
import { type ErrorCode, isErrorCode } from '../../base/errors.js'
import {
  type DurationFigures,
  type NodeFigures,
  type TrafficFigures,
  trafficKinds,
  type WorkerFigures,
} from '../../domain/cluster/nodeFigures.js'
import { nodeStates } from '../../domain/cluster/nodeState.js'

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

interface MetricName {
  readonly name: string
  readonly help: string
}

export interface ValueMetric extends MetricName {
  readonly type: 'counter' | 'gauge'
  readonly labels: readonly string[]
  readonly samples: (figures: NodeFigures) => readonly MetricSample[]
}

export interface DurationMetric extends MetricName {
  readonly type: 'histogram'
  readonly durations: (figures: NodeFigures) => DurationFigures
}

export type MetricRow = ValueMetric | DurationMetric

type Value = number | boolean | undefined

const sampleOf = (labels: MetricSample['labels'], value: Value): readonly MetricSample[] =>
  value === undefined ? [] : [{ labels, value: Number(value) }]

const seconds = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1_000)

type Kind = ValueMetric['type']

/** One value of this node. */
const own = (type: Kind, name: string, help: string, value: (figures: NodeFigures) => Value): ValueMetric => ({
  ...{ type, name, help },
  labels: [],
  samples: (figures) => sampleOf({}, value(figures)),
})

/** One value for each worker, those that have left included. */
const ofWorkers = (type: Kind, name: string, help: string, value: (worker: WorkerFigures) => Value): ValueMetric => ({
  ...{ type, name, help },
  labels: ['worker'],
  samples: ({ workers }) => workers.flatMap((worker) => sampleOf({ worker: worker.name }, value(worker))),
})

const labelled = (type: Kind, name: string, labels: readonly string[], help: string, samples: ValueMetric['samples']): ValueMetric => ({
  ...{ type, name, help, labels, samples },
})

/** How often each name of a tally was counted. */
const tallied = (
  name: string,
  label: string,
  help: string,
  tally: (figures: NodeFigures) => Readonly<Record<string, number>>,
): ValueMetric =>
  labelled('counter', name, [label], help, (figures) =>
    Object.entries(tally(figures)).map(([key, value]) => ({ labels: { [label]: key }, value })),
  )

const traffic = (name: string, help: string, of: (worker: WorkerFigures) => TrafficFigures): ValueMetric =>
  labelled('counter', name, ['worker', 'kind'], help, ({ workers }) =>
    workers.flatMap((worker) => trafficKinds.map((kind) => ({ labels: { worker: worker.name, kind }, value: of(worker)[kind] }))),
  )

const durations = (name: string, help: string, of: (figures: NodeFigures) => DurationFigures): DurationMetric => ({
  ...{ type: 'histogram', name, help },
  durations: of,
})

const nodeMetrics: readonly MetricRow[] = [
  labelled(
    'gauge',
    'muster_build_info',
    ['version', 'node_version'],
    'Version of Muster and of Node.js; always 1.',
    ({ process, version }) => [{ labels: { version, node_version: process?.nodeVersion ?? '' }, value: 1 }],
  ),
  labelled('gauge', 'muster_node_info', ['cluster', 'node', 'type'], 'What this node is; always 1.', ({ cluster, node, type }) => [
    { labels: { cluster, node, type }, value: 1 },
  ]),
  own('gauge', 'muster_up_timestamp_seconds', 'When this node was started.', ({ startedMs }) => startedMs / 1_000),
  own('gauge', 'muster_master_connected', 'On a worker: whether it is connected to its master.', ({ master }) => master?.isConnected),
  own(
    'gauge',
    'muster_in_sync_timestamp_seconds',
    'On a worker: when its files were last seen to be those of the master.',
    ({ inSyncMs }) => seconds(inSyncMs),
  ),
  labelled('gauge', 'muster_synced_files', ['node'], 'Files that are kept the same, as this node has them.', ({ node, syncedFiles }) => [
    { labels: { node }, value: syncedFiles },
  ]),
  own(
    'gauge',
    'muster_disk_full',
    'On a worker: whether files of the last sync could not be written because the disk is full.',
    ({ diskFull }) => diskFull,
  ),
  labelled(
    'counter',
    'muster_files_applied_total',
    ['change'],
    'On a worker: files that it made those of the master.',
    ({ filesApplied }) => Object.entries(filesApplied).map(([change, value]) => ({ labels: { change }, value })),
  ),
  own(
    'counter',
    'muster_edits_undone_total',
    'On a worker: files changed there that were made those of the master again.',
    ({ editsUndone }) => editsUndone,
  ),
  durations(
    'muster_integrity_check_duration_seconds',
    'Checks of trees: those of this worker, or on a master those that it answered.',
    (figures) => figures.integrityChecks,
  ),
  durations(
    'muster_sync_duration_seconds',
    'Plans that were carried out: by this worker, or on a master by its workers.',
    (figures) => figures.syncs,
  ),
  own('gauge', 'muster_local_scan_duration_seconds', 'The last scan of all synced files of this node.', ({ scanSeconds }) => scanSeconds),
  own(
    'counter',
    'muster_watcher_overflows_total',
    'Times that changes of files came too fast to be named: then all are scanned.',
    ({ watcherOverflows }) => watcherOverflows,
  ),
  labelled(
    'gauge',
    'muster_agents',
    ['node', 'status'],
    'Agents by the node that they report to and their status; of no node, or one that is not known, node is empty.',
    ({ agents }) => agents.map(({ count, node, status }) => ({ labels: { node, status }, value: count })),
  ),
  own('gauge', 'muster_agent_news_queued', 'Reports of agents that wait for the table.', ({ agentReportsQueued }) => agentReportsQueued),
  own('counter', 'muster_agent_news_total', 'Reports of agents that this node took in itself.', ({ agentReports }) => agentReports),
  tallied('muster_thread_restarts_total', 'thread', 'Threads that crashed and were started again.', ({ threadRestarts }) => threadRestarts),
  tallied('muster_log_lines_total', 'level', 'Lines of the log by level: error, warning and info.', ({ logLines }) => logLines),
  labelled(
    'gauge',
    'muster_certificate_expiry_timestamp_seconds',
    ['kind'],
    'When the first certificate of a kind ends.',
    ({ certificates }) => firstEnds(certificates),
  ),
  own(
    'gauge',
    'muster_key_previous_in_use',
    'Whether a connection uses the previous cluster key.',
    ({ usesPreviousKey }) => usesPreviousKey,
  ),
]

const firstEnds = (certificates: NodeFigures['certificates']): readonly MetricSample[] => {
  const ends = new Map<string, number>()
  for (const { endsMs, kind } of certificates) ends.set(kind, Math.min(endsMs, ends.get(kind) ?? Number.POSITIVE_INFINITY))
  return [...ends].map(([kind, endsMs]) => ({ labels: { kind }, value: endsMs / 1_000 }))
}

/** Codes of errors that say the same to an operator. */
const results: { readonly [K in ErrorCode]?: string } = {
  notAuthentic: 'refused_key',
  ...{ duplicateName: 'refused_name', sameNameAsMaster: 'refused_name' },
  wrongClusterName: 'refused_cluster',
  notCertified: 'refused_certificate',
}

/** By what `result` is called; a code without a name of its own is written in small letters. */
const refusalsByResult = (refusals: NodeFigures['refusals']): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (const [code, count] of Object.entries(refusals)) {
    const snakeCase = code.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    const result = (isErrorCode(code) ? results[code] : undefined) ?? `refused_${snakeCase}`
    counts.set(result, (counts.get(result) ?? 0) + count)
  }
  return counts
}

const workerMetrics: readonly MetricRow[] = [
  own('gauge', 'muster_workers_connected', 'On a master: workers that are connected.', ({ type, workers }) =>
    type === 'master' ? workers.filter(({ isConnected }) => isConnected).length : undefined,
  ),
  own(
    'gauge',
    'muster_workers_known',
    'On a master: workers that are connected, or were within a day and were not removed.',
    ({ type, workers }) => (type === 'master' ? workers.filter(({ state }) => state !== 'removed').length : undefined),
  ),
  ofWorkers('gauge', 'muster_worker_connected', 'Whether the worker is connected.', ({ isConnected }) => isConnected),
  labelled(
    'gauge',
    'muster_worker_state',
    ['worker', 'state'],
    'What an operator said of the worker: 1 for the state that it has.',
    ({ workers }) =>
      workers.flatMap(({ name, state }) =>
        nodeStates.map((each) => ({ labels: { worker: name, state: each }, value: Number(each === state) })),
      ),
  ),
  ofWorkers(
    'gauge',
    'muster_worker_last_keepalive_timestamp_seconds',
    'When the last keep-alive of the worker came.',
    ({ lastKeepAliveMs }) => seconds(lastKeepAliveMs),
  ),
  ofWorkers('gauge', 'muster_worker_clock_skew_seconds', "The master's clock minus the worker's.", ({ clockSkewMs }) =>
    seconds(clockSkewMs),
  ),
  ofWorkers(
    'gauge',
    'muster_worker_round_trip_seconds',
    'What a keep-alive took there and back, as the worker measured it.',
    ({ roundTripMs }) => seconds(roundTripMs),
  ),
  labelled(
    'counter',
    'muster_connections_total',
    ['worker', 'result'],
    'Workers that were let in, and connections that were refused, whose workers are unknown.',
    ({ refusals, workers }) => [
      ...workers.map(({ joined, name }) => ({ labels: { worker: name, result: 'accepted' }, value: joined })),
      ...[...refusalsByResult(refusals)].map(([result, value]) => ({ labels: { worker: '', result }, value })),
    ],
  ),
  labelled(
    'counter',
    'muster_disconnections_total',
    ['worker', 'reason'],
    'Connections of workers that ended, by the reason.',
    ({ workers }) =>
      workers.flatMap(({ left, name }) => Object.entries(left).map(([code, value]) => ({ labels: { worker: name, reason: code }, value }))),
  ),
  traffic(
    'muster_sent_bytes_total',
    'Bytes sent to the worker, by what they are about: synced files (file), agents, groups of agents (groups), all else (control).',
    ({ sent }) => sent,
  ),
  traffic('muster_received_bytes_total', 'Bytes received from the worker, by the same kinds.', ({ received }) => received),
  ofWorkers('gauge', 'muster_files_pending', 'Files that the worker still has to sync.', ({ filesPending }) => filesPending),
  ofWorkers('gauge', 'muster_files_failed', 'Files that the worker could not sync.', ({ filesFailed }) => filesFailed),
  ofWorkers('gauge', 'muster_in_sync', "Whether the worker's files are those of the master.", ({ inSync }) => inSync),
  ofWorkers(
    'counter',
    'muster_integrity_checks_total',
    'Checks of the worker that the master answered.',
    ({ integrityChecks }) => integrityChecks,
  ),
  ofWorkers('gauge', 'muster_last_sync_timestamp_seconds', 'When the worker last carried out a plan.', ({ lastSyncMs }) =>
    seconds(lastSyncMs),
  ),
]

const processMetrics: readonly MetricRow[] = [
  own('counter', 'process_cpu_user_seconds_total', 'User time of the whole process, all threads.', ({ process }) => process?.userSeconds),
  own(
    'counter',
    'process_cpu_system_seconds_total',
    'System time of the whole process, all threads.',
    ({ process }) => process?.systemSeconds,
  ),
  own(
    'counter',
    'process_cpu_seconds_total',
    'User and system time of the whole process, all threads.',
    ({ process }) => process && process.userSeconds + process.systemSeconds,
  ),
  own('gauge', 'process_start_time_seconds', 'When the process was started.', ({ process }) => seconds(process?.startedMs)),
  own('gauge', 'process_resident_memory_bytes', 'Resident memory of the whole process.', ({ process }) => process?.residentBytes),
  own('gauge', 'process_open_fds', 'Files and sockets that the process has open.', ({ process }) => process?.openFiles),
  own('gauge', 'process_max_fds', 'Files and sockets that the process may have open.', ({ process }) => process?.openFilesMax),
  own('gauge', 'nodejs_heap_size_used_bytes', 'Heap of the thread of the cluster.', ({ process }) => process?.heapUsedBytes),
  own(
    'gauge',
    'nodejs_eventloop_lag_seconds',
    'How late a turn of the event loop of the cluster came, measured at this scrape.',
    ({ process }) => process?.eventLoopLagSeconds,
  ),
]

export const metricTable: readonly MetricRow[] = [...nodeMetrics, ...workerMetrics, ...processMetrics]

/** What the HTTP service counts of itself. */
export const httpRequestsMetric = {
  name: 'muster_http_requests_total',
  help: "Requests that were answered, by the route's pattern and the status.",
  labels: ['path', 'code'],
} as const
