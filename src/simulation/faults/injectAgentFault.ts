/** Makes an agent of a simulated cluster do what a fault plan says, or an operator do it to the agent. */
import { unreachable } from '../../base/invariant.js'
import type { SimulatedCluster } from '../cluster.js'
import type { Fault } from './faultPlan.js'
import type { Ending } from './injectFault.js'

/** Without agents, faults of agents do nothing. */
export const injectAgentFault = (cluster: SimulatedCluster, fault: Extract<Fault, { readonly agent: number }>): Ending | undefined => {
  const { agents } = cluster
  const id = 'group' in fault || 'groups' in fault ? agents.pickAny(fault.agent) : agents.pick(fault.agent)
  if (id === undefined) return undefined
  switch (fault.kind) {
    case 'removeAgent':
      void agents.remove(fault.node, id)
      return undefined
    case 'assignGroup':
      void agents.changeGroups({ kind: 'assign', ids: [id], group: fault.group })
      return undefined
    case 'unassignGroup':
      void agents.changeGroups({ kind: 'unassign', ids: [id], group: fault.group })
      return undefined
    case 'replaceGroups':
      void agents.changeGroups({ kind: 'replace', ids: [id], groups: fault.groups.split(',') })
      return undefined
    case 'agentConnects':
      agents.connect(fault.node, id, fault.durationMs)
      return undefined
    case 'agentMoves':
      agents.silence(fault.a, id)
      agents.connect(fault.b, id, fault.durationMs)
      return { afterMs: fault.durationMs, end: () => agents.report(fault.a, { id, kind: 'lost' }) }
    case 'agentTwice':
      agents.connect(fault.a, id, fault.durationMs)
      agents.connect(fault.b, id, fault.durationMs)
      return undefined
    case 'agentShutsDown':
    case 'agentLost':
      agents.silence(fault.node, id)
      agents.report(fault.node, { id, kind: fault.kind === 'agentLost' ? 'lost' : 'shutdown' })
      return undefined
    default:
      return unreachable(fault)
  }
}
