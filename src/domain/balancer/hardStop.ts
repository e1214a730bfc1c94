/** HAProxy's `hard-stop-after`: how long an old process may keep the sessions that it had when HAProxy was reloaded. */

const perNodeMs = 10_000

export interface HardStopInput {
  readonly agents: number
  readonly nodes: number
  readonly agentChunkSize: number
  readonly agentReconnectionMs: number
}

/** As the helper of Wazuh computes it: all agents are asked once, and some time for each node. */
export const hardStopMs = ({ agentChunkSize, agentReconnectionMs, agents, nodes }: HardStopInput): number =>
  Math.ceil(agents / agentChunkSize) * agentReconnectionMs + nodes * perNodeMs
