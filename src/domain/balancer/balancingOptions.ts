/** What an operator decides about the balancing of agents: the options of `<haproxy_helper>` that do not say how HAProxy is reached. */

export interface BalancingOptions {
  /** Nodes that get no agents from the balancer. */
  readonly excludedNodes: readonly string[]
  /** By node: where the balancer reaches it, when that is not the address by which the master knows it. */
  readonly addresses: Readonly<Record<string, string>>
  /** From one round to the next, unless something happens. */
  readonly frequencyMs: number
  /** Agents that are asked to reconnect at a time. */
  readonly agentChunkSize: number
  /** From one chunk to the next. */
  readonly agentReconnectionMs: number
  /** After agents were moved, before it is judged again. */
  readonly stabilityMs: number
  /** How far from the mean a server may be, as a share of it. */
  readonly imbalanceTolerance: number
  /** A server whose node is not connected is removed when it was not up for this long. */
  readonly removeDisconnectedMs: number
}

/** As Wazuh has it. */
export const defaultBalancing: BalancingOptions = {
  excludedNodes: [],
  addresses: {},
  frequencyMs: 60_000,
  agentChunkSize: 300,
  agentReconnectionMs: 5_000,
  stabilityMs: 60_000,
  imbalanceTolerance: 0.1,
  removeDisconnectedMs: 240 * 60_000,
}
