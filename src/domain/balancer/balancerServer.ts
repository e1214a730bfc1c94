/** A server of the balancer's backend: a node of the cluster, as the balancer shows it. */

export interface BalancerServer {
  /** A node's name, or what another program called it. */
  readonly name: string
  readonly address: string
  readonly port: number
  readonly state: 'ready' | 'drain' | 'maintenance'
  /** Its checks pass. */
  readonly isUp: boolean
  /** Sessions of agents that it has now. */
  readonly sessions: number
}

/** Whether the balancer sends agents to it. */
export const takesAgents = ({ isUp, state }: BalancerServer): boolean => isUp && state === 'ready'
