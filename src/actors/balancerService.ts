/** The load balancer of a master: the thread that drives it while the node works, and how it is left when the node stops. */
import type { AnyActorLogic } from 'xstate'
import { BalancedNodes } from './balancer/balancedNodes.js'
import { haproxyHelper } from './balancer/haproxyHelper.js'
import { leaveServers } from './balancer/leaveServers.js'
import type { NodeParts, NodeRole } from './nodeContext.js'

type Node = Pick<NodeParts, 'agents' | 'identity' | 'log' | 'ports' | 'states'> & { readonly role: NodeRole }

/** Undefined: this node drives none. */
const driven = ({ identity, ports: { balancer }, role: { registry }, states }: Node) => {
  const { balancing } = identity
  if (!balancer || !balancing || !registry) return undefined
  const self = { name: identity.node, address: identity.address }
  const nodes = new BalancedNodes({ self, registry, states, ...balancing })
  return { balancer, balancing, nodes }
}

export const balancerService = (node: Node): AnyActorLogic | undefined => {
  const parts = driven(node)
  const { agents, identity, log, ports, role } = node
  return (
    parts &&
    haproxyHelper({
      ...parts,
      ...{ clock: ports.clock, random: ports.random, store: agents.store },
      operations: identity.manager === 'none' || ports.remoted ? role.operations : undefined,
      log: log.at({ tag: 'HAPHelper', subtag: 'Main' }),
    })
  )
}

export const leaveBalancer = async (node: Node): Promise<void> => {
  const parts = driven(node)
  if (parts) await leaveServers({ ...parts, clock: node.ports.clock })
}
