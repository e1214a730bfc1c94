/** wazuh-remoted of a real manager on this machine, which has the agents that are connected to this node. */
export interface Remoted {
  /**
   * Has it ask these agents to reconnect; returns for how many it took the message. Others than its own are left out by it.
   * Fails with `requestFailed` when it takes no messages.
   */
  reconnect(ids: readonly number[]): Promise<number>
}
