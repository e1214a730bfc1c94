/** Agents that are to reconnect, and what came of it, node by node. */

export interface ReconnectRequest {
  /** Of these agents; of all when left out. */
  readonly ids?: readonly number[]
  /** At these nodes; at all when left out. */
  readonly nodes?: readonly string[]
}

export interface Reconnected {
  readonly node: string
  /** How many were connected there, and were asked. */
  readonly agents: number
  /** Why the node could not be asked. */
  readonly error?: string
}
