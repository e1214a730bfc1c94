/**
 * The intervals and limits of cluster.json, under the names that operators know from Wazuh. Operators write seconds
 * (fractions allowed); inside they are milliseconds.
 */
import Type, { type TNumber } from 'typebox'
import { limits } from '../base/limits.js'
import type { Timings } from '../domain/cluster/timings.js'
import { type Option, option } from './option.js'

export interface IntervalOption {
  readonly option: Option<TNumber>
  /** The bounds of the schema, in the operator's unit. */
  readonly min: number
  readonly max: number
  /** What one of the operator's units is inside: milliseconds in a second, or 1 for a count. */
  readonly scale: 1 | 1000
}

const secondsMax = Math.floor(limits.timerMsMax / 1000)
const countMax = 1_000_000

const seconds = (name: string, fallback: number, description: string, minimum = 0.01): IntervalOption => ({
  option: option({
    name,
    schema: Type.Number({ minimum, maximum: secondsMax }),
    fallback,
    allowed: `a number of seconds, ${minimum} to ${secondsMax}`,
    description,
  }),
  min: minimum,
  max: secondsMax,
  scale: 1000,
})

const count = (name: string, fallback: number, description: string): IntervalOption => ({
  option: option({
    name,
    schema: Type.Number({ minimum: 1, maximum: countMax, multipleOf: 1 }),
    fallback,
    allowed: `a whole number, 1 to ${countMax}`,
    description,
  }),
  min: 1,
  max: countMax,
  scale: 1,
})

export const intervalOptions = {
  worker: {
    syncIntegrityMs: seconds(
      'sync_integrity',
      9,
      'How often the worker asks the master whether its files are the same, besides when the master announces a change.',
    ),
    syncAgentInfoMs: seconds(
      'sync_agent_info',
      10,
      'How often the worker sends updates about its agents to the master, besides at once when an agent connects or disconnects.',
    ),
    syncAgentGroupsMs: seconds(
      'sync_agent_groups',
      30,
      'How often the worker compares the groups of the agents with the master, besides when the master announces a change.',
    ),
    timeoutAgentGroupsMs: seconds(
      'timeout_agent_groups',
      40,
      'How long groups wait on the worker for the keys of the agents that they are about.',
    ),
    keepAliveMs: seconds('keep_alive', 60, 'How often the worker sends a keep-alive to the master.'),
    connectionRetryMs: seconds('connection_retry', 10, 'The longest pause before the worker dials the master again.'),
    failedKeepAlivesMax: count(
      'max_failed_keepalive_attempts',
      2,
      'Keep-alives in a row that may go unanswered before the worker reconnects.',
    ),
    agentGroupsMismatchesMax: count(
      'agent_groups_mismatch_limit',
      5,
      'Times in a row that the groups of the worker may differ from those of the master before it asks for all of them.',
    ),
  },
  master: {
    syncAgentGroupsMs: seconds(
      'sync_agent_groups',
      10,
      'How often the master sends its workers the state of the groups, besides at once when one changes.',
    ),
    recalculateIntegrityMs: seconds(
      'recalculate_integrity',
      8,
      'How often the master scans all its files, besides noticing changes through the system.',
    ),
    timeoutAgentInfoMs: seconds(
      'timeout_agent_info',
      40,
      'How long the master may take for one batch of updates about agents before the worker sends it again.',
    ),
    agentGroupStartDelayMs: seconds(
      'agent_group_start_delay',
      30,
      'How long the master waits after its start before it sends its workers the state of the groups.',
      0,
    ),
    checkWorkerLastKeepAliveMs: seconds('check_worker_lastkeepalive', 60, 'How often the master checks for workers that fell silent.'),
    timeWithoutKeepAliveMsMax: seconds(
      'max_allowed_time_without_keepalive',
      120,
      'How long a worker may be silent before the master closes its connection.',
    ),
  },
  communication: {
    clusterRequestMsMax: seconds('timeout_cluster_request', 20, 'How long a request to another node may take.'),
    receivingFileMsMax: seconds('timeout_receiving_file', 120, 'How long a transfer may make no progress.'),
  },
} as const

/** Options of Wazuh's own cluster.json that have no meaning here: said once, then ignored. */
export const needlessIntervals: Readonly<Record<string, readonly string[]>> = {
  worker: [],
  master: [
    // There is no lock here that could be held too long.
    'max_locked_integrity_time',
    'process_pool_size',
    'timeout_extra_valid',
    'sync_disconnected_agent_groups',
    'sync_disconnected_agent_groups_batch_size',
    'sync_disconnected_agent_groups_min_offline',
    'sync_disconnected_agent_cluster_name_delay',
  ],
  communication: ['timeout_dapi_request', 'max_zip_size', 'min_zip_size', 'compress_level', 'zip_limit_tolerance'],
}

type Groups = typeof intervalOptions

type ForEach<T> = { readonly [G in keyof Groups]: { readonly [K in keyof Groups[G]]: T } }

/** Milliseconds, except for the counts (`failedKeepAlivesMax`, `agentGroupsMismatchesMax`). */
export type Intervals = ForEach<number>

/** The same under the names of a node's timings: the values themselves, or what is known of each. */
export const byTiming = <T>({ communication, master, worker }: ForEach<T>): Record<Exclude<keyof Timings, 'agentsDisconnectionMs'>, T> => ({
  syncIntegrityMs: worker.syncIntegrityMs,
  keepAliveMs: worker.keepAliveMs,
  connectionRetryMs: worker.connectionRetryMs,
  failedKeepAlivesMax: worker.failedKeepAlivesMax,
  recalculateIntegrityMs: master.recalculateIntegrityMs,
  checkLastKeepAliveMs: master.checkWorkerLastKeepAliveMs,
  silenceMsMax: master.timeWithoutKeepAliveMsMax,
  requestTimeoutMs: communication.clusterRequestMsMax,
  transferIdleMsMax: communication.receivingFileMsMax,
  syncAgentInfoMs: worker.syncAgentInfoMs,
  timeoutAgentInfoMs: master.timeoutAgentInfoMs,
  workerSyncAgentGroupsMs: worker.syncAgentGroupsMs,
  timeoutAgentGroupsMs: worker.timeoutAgentGroupsMs,
  agentGroupsMismatchesMax: worker.agentGroupsMismatchesMax,
  masterSyncAgentGroupsMs: master.syncAgentGroupsMs,
  agentGroupStartDelayMs: master.agentGroupStartDelayMs,
})

/** One number for each option of a group. */
export const mapGroup = <K extends string>(
  group: Readonly<Record<K, IntervalOption>>,
  number: (known: IntervalOption) => number,
): Record<K, number> => {
  const entries = Object.entries<IntervalOption>(group).map(([name, known]) => [name, number(known)] as const)
  // Object.fromEntries forgets the names of the keys, which are those of `group` by construction.
  return Object.fromEntries(entries) as Record<K, number>
}

const fallbackOf = ({ option: known, scale }: IntervalOption): number => known.fallback * scale

export const defaultIntervals: Intervals = {
  worker: mapGroup(intervalOptions.worker, fallbackOf),
  master: mapGroup(intervalOptions.master, fallbackOf),
  communication: mapGroup(intervalOptions.communication, fallbackOf),
}
