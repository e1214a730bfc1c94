/** Agents as wazuh-db has them, by the names of its columns. What is empty is left out. Facts: docs/on-a-wazuh-manager.md. */

export interface WazuhLabel {
  readonly key: string
  readonly value: string
}

export const connectionStatuses = ['active', 'pending', 'disconnected', 'never_connected'] as const
export type ConnectionStatus = (typeof connectionStatuses)[number]

/** A full row. Times are whole seconds since 1970 by the clock of the manager that wrote them; 0: never. */
export interface WazuhAgent {
  readonly id: number
  readonly name?: string
  readonly ip?: string
  readonly os_name?: string
  readonly os_version?: string
  readonly os_major?: string
  readonly os_minor?: string
  readonly os_codename?: string
  readonly os_build?: string
  readonly os_platform?: string
  readonly os_uname?: string
  readonly os_arch?: string
  readonly version?: string
  readonly config_sum?: string
  readonly merged_sum?: string
  readonly manager_host?: string
  readonly node_name?: string
  readonly last_keepalive?: number
  readonly connection_status?: ConnectionStatus
  readonly disconnection_time?: number
  readonly group_config_status?: 'synced' | 'not synced'
  readonly status_code?: number
  readonly labels?: readonly WazuhLabel[]
}

/** An agent that sent a keep-alive, and nothing else is new. */
export type WazuhKeepAlive = Pick<WazuhAgent, 'id' | 'version'>

/** An agent whose connection began or ended. */
export type WazuhStatus = Pick<WazuhAgent, 'id' | 'version' | 'connection_status' | 'disconnection_time' | 'status_code'>

/** What became of agents, in three weights; wazuh-db takes them in this order. */
export interface WazuhStates {
  readonly syncreq: readonly WazuhAgent[]
  readonly syncreq_keepalive: readonly WazuhKeepAlive[]
  readonly syncreq_status: readonly WazuhStatus[]
}

/** Where wazuh-db says that an agent is. */
export type WazuhPresence = Pick<WazuhAgent, 'id' | 'node_name' | 'last_keepalive' | 'connection_status'>

/** Groups of an agent, in order of priority. */
export interface WazuhGroupsRow {
  readonly id: number
  /** A worker's wazuh-db makes the agent's row by it. */
  readonly name: string
  readonly groups: readonly string[]
}
