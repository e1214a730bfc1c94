/**
 * The intervals and time-outs of a node, with the defaults of Wazuh 4.14. Milliseconds, but for the counts. The option of cluster.json
 * that sets one is its row in config/intervalOptions.ts.
 */

export const defaultTimings = {
  /** Rest between two checks of the worker's tree against the master's. */
  syncIntegrityMs: 9_000,
  /** Rest between two beats. */
  keepAliveMs: 60_000,
  /** The longest wait before the master is dialled again. */
  connectionRetryMs: 10_000,
  /** Keep-alives in a row that may go unanswered. */
  failedKeepAlivesMax: 2,
  /** Rest between two scans of the whole tree. */
  recalculateIntegrityMs: 8_000,
  /** Rest between two checks for silent workers on the master. */
  checkLastKeepAliveMs: 60_000,
  /** How long a worker may be silent before its connection is closed. */
  silenceMsMax: 120_000,
  /** How long a request to another node may take. */
  requestTimeoutMs: 20_000,
  /** How long a transfer may make no progress. */
  transferIdleMsMax: 120_000,
  /** Rest between two rounds of agent info that nothing asks for. */
  syncAgentInfoMs: 10_000,
  /** How long the master may take for one batch. */
  timeoutAgentInfoMs: 40_000,
  /** Rest between two comparisons of the groups that nothing asks for. */
  workerSyncAgentGroupsMs: 30_000,
  /** How long groups wait for the keys that they refer to. */
  timeoutAgentGroupsMs: 40_000,
  /** Times in a row that a worker's groups may differ from the master's before it asks for all of them. */
  agentGroupsMismatchesMax: 5,
  /** Rest between two rounds of the master that nothing asks for. */
  masterSyncAgentGroupsMs: 10_000,
  /** How long a master waits after its start before it sends its workers the state of the groups. */
  agentGroupStartDelayMs: 30_000,
  /** An agent that is silent for longer is disconnected. */
  agentsDisconnectionMs: 600_000,
  /** How long a node that stops waits for its agents to go to another one. */
  drainMsMax: 5_000,
}

export type Timings = { readonly [K in keyof typeof defaultTimings]: number }
