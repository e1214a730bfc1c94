/**
 * The intervals and limits of cluster.json, under the names that operators know from Wazuh. Operators write seconds
 * (fractions allowed); inside they are milliseconds.
 */
import { type TNumber, Type } from 'typebox'
import { limits } from '../base/limits.js'
import { defaultTimings, type Timings } from '../domain/cluster/timings.js'
import { type Option, option } from './option.js'

export interface IntervalOption {
  /** What it sets; its default is there (domain/cluster/timings). */
  readonly timing: keyof Timings
  readonly option: Option<TNumber>
  /** The bounds of the schema, in the operator's unit. */
  readonly min: number
  readonly max: number
  /** What one of the operator's units is inside: milliseconds in a second, or 1 for a count. */
  readonly scale: 1 | 1000
}

const secondsMax = Math.floor(limits.timerMsMax / 1000)
const countMax = 1_000_000

const seconds = (timing: keyof Timings, name: string, description: string, min = 0.01): IntervalOption => ({
  ...{ timing, min, max: secondsMax, scale: 1000 },
  option: option({
    name,
    schema: Type.Number({ minimum: min, maximum: secondsMax }),
    fallback: defaultTimings[timing] / 1000,
    allowed: `a number of seconds, ${min} to ${secondsMax}`,
    description,
  }),
})

const count = (timing: keyof Timings, name: string, description: string): IntervalOption => ({
  ...{ timing, min: 1, max: countMax, scale: 1 },
  option: option({
    name,
    schema: Type.Number({ minimum: 1, maximum: countMax, multipleOf: 1 }),
    fallback: defaultTimings[timing],
    allowed: `a whole number, 1 to ${countMax}`,
    description,
  }),
})

export const intervalOptions: Readonly<Record<'worker' | 'master' | 'communication', readonly IntervalOption[]>> = {
  worker: [
    seconds(
      'syncIntegrityMs',
      'sync_integrity',
      'How often the worker asks the master whether its files are the same, besides when the master announces a change.',
    ),
    seconds(
      'syncAgentInfoMs',
      'sync_agent_info',
      'How often the worker sends updates about its agents to the master, besides at once when an agent connects or disconnects.',
    ),
    seconds(
      'workerSyncAgentGroupsMs',
      'sync_agent_groups',
      'How often the worker compares the groups of the agents with the master, besides when the master announces a change.',
    ),
    seconds(
      'timeoutAgentGroupsMs',
      'timeout_agent_groups',
      'How long groups wait on the worker for the keys of the agents that they are about.',
    ),
    seconds('keepAliveMs', 'keep_alive', 'How often the worker sends a keep-alive to the master.'),
    seconds('connectionRetryMs', 'connection_retry', 'The longest pause before the worker dials the master again.'),
    count(
      'failedKeepAlivesMax',
      'max_failed_keepalive_attempts',
      'Keep-alives in a row that may go unanswered before the worker reconnects.',
    ),
    count(
      'agentGroupsMismatchesMax',
      'agent_groups_mismatch_limit',
      'Times in a row that the groups of the worker may differ from those of the master before it asks for all of them.',
    ),
  ],
  master: [
    seconds(
      'masterSyncAgentGroupsMs',
      'sync_agent_groups',
      'How often the master sends its workers the state of the groups, besides at once when one changes.',
    ),
    seconds(
      'recalculateIntegrityMs',
      'recalculate_integrity',
      'How long the master rests between two scans of all its files, besides noticing changes through the system. While the system reports changes, at least nine times as long as the scan before took.',
    ),
    seconds(
      'timeoutAgentInfoMs',
      'timeout_agent_info',
      'How long the master may take for one batch of updates about agents before the worker sends it again.',
    ),
    seconds(
      'agentGroupStartDelayMs',
      'agent_group_start_delay',
      'How long the master waits after its start before it sends its workers the state of the groups.',
      0,
    ),
    seconds('checkLastKeepAliveMs', 'check_worker_lastkeepalive', 'How often the master checks for workers that fell silent.'),
    seconds(
      'silenceMsMax',
      'max_allowed_time_without_keepalive',
      'How long a worker may be silent before the master closes its connection.',
    ),
  ],
  communication: [
    seconds('requestTimeoutMs', 'timeout_cluster_request', 'How long a request to another node may take.'),
    seconds('transferIdleMsMax', 'timeout_receiving_file', 'How long a transfer may make no progress.'),
    seconds(
      'drainMsMax',
      'drain_time',
      'How long a node that stops waits for its agents to go to another node after it asked them to reconnect; with 0 it does not ask.',
      0,
    ),
  ],
}

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
