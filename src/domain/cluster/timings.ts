/** The intervals and time-outs of a node, with Wazuh's defaults (reference/wazuh-cluster.md, internal settings). Milliseconds. */

export interface Timings {
  /** worker.sync_integrity: rest between two checks of the worker's tree against the master's. */
  readonly syncIntegrityMs: number
  /** worker.keep_alive: rest between two beats. */
  readonly keepAliveMs: number
  /** worker.connection_retry: the longest wait before the master is dialled again. */
  readonly connectionRetryMs: number
  /** worker.max_failed_keepalive_attempts. */
  readonly failedKeepAlivesMax: number
  /** master.recalculate_integrity: rest between two scans of the whole tree. */
  readonly recalculateIntegrityMs: number
  /** master.check_worker_lastkeepalive. */
  readonly checkLastKeepAliveMs: number
  /** master.max_allowed_time_without_keepalive. */
  readonly silenceMsMax: number
  /** communication.timeout_cluster_request. */
  readonly requestTimeoutMs: number
  /** communication.timeout_receiving_file: how long a transfer may make no progress. */
  readonly transferIdleMsMax: number
  /** worker.sync_agent_info: rest between two rounds of agent info that nothing asks for. */
  readonly syncAgentInfoMs: number
  /** master.timeout_agent_info: how long the master may take for one batch. */
  readonly timeoutAgentInfoMs: number
  /** worker.sync_agent_groups: rest between two comparisons of the groups that nothing asks for. */
  readonly workerSyncAgentGroupsMs: number
  /** worker.timeout_agent_groups: how long groups wait for the keys that they refer to. */
  readonly timeoutAgentGroupsMs: number
  /** worker.agent_groups_mismatch_limit. */
  readonly agentGroupsMismatchesMax: number
  /** master.sync_agent_groups: rest between two rounds of the master that nothing asks for. */
  readonly masterSyncAgentGroupsMs: number
  /** master.agent_group_start_delay. */
  readonly agentGroupStartDelayMs: number
  /** global.agents_disconnection_time: an agent that is silent for longer is disconnected. */
  readonly agentsDisconnectionMs: number
}

export const defaultTimings: Timings = {
  syncIntegrityMs: 9_000,
  keepAliveMs: 60_000,
  connectionRetryMs: 10_000,
  failedKeepAlivesMax: 2,
  recalculateIntegrityMs: 8_000,
  checkLastKeepAliveMs: 60_000,
  silenceMsMax: 120_000,
  requestTimeoutMs: 20_000,
  transferIdleMsMax: 120_000,
  syncAgentInfoMs: 10_000,
  timeoutAgentInfoMs: 40_000,
  workerSyncAgentGroupsMs: 30_000,
  timeoutAgentGroupsMs: 40_000,
  agentGroupsMismatchesMax: 5,
  masterSyncAgentGroupsMs: 10_000,
  agentGroupStartDelayMs: 30_000,
  agentsDisconnectionMs: 600_000,
}
