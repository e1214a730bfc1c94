/** What befalls the real manager beside a node of a simulated cluster, and what its agents and operators do by way of it. */
import { unreachable } from '../../base/invariant.js'
import type { ManagedAgents } from '../manager/managedAgents.js'
import type { SimulatedManager } from '../manager/simulatedManager.js'
import type { FaultOf } from './faultPlan.js'
import type { Ending } from './injectFault.js'

export const injectManagerFault = (manager: SimulatedManager, agents: ManagedAgents, fault: FaultOf<'manager'>): Ending | undefined => {
  const { db } = manager
  const usualDelayMs = db.delayMs
  const startAgain = { afterMs: 'durationMs' in fault ? fault.durationMs : 0, end: () => manager.isOn && db.start() }
  switch (fault.kind) {
    case 'wazuhDbDown':
      db.stop()
      return startAgain
    case 'wazuhDbKilled':
      db.kill()
      agents.killed(fault.node)
      return startAgain
    case 'wazuhDbSlow':
      db.delayMs = fault.latencyMs
      return {
        ...startAgain,
        end: () => {
          db.delayMs = usualDelayMs
        },
      }
    case 'wazuhDbSilent':
      db.isSilent = true
      return {
        ...startAgain,
        end: () => {
          db.isSilent = false
        },
      }
    case 'wazuhDbErrors':
      db.refusals += fault.requests
      return undefined
    case 'managerRestarts':
      manager.restart()
      return undefined
    default:
      return unreachable(fault)
  }
}

export const injectManagedAgentFault = (agents: ManagedAgents, fault: FaultOf<'agents'>): void => {
  const id = 'agent' in fault ? agents.pick(fault.agent) : undefined
  if (id === undefined) injectManagedGroupFault(agents, fault)
  else injectFaultOfAgent(agents, id, fault)
}

const injectFaultOfAgent = (agents: ManagedAgents, id: number, fault: FaultOf<'agents'>): void => {
  switch (fault.kind) {
    case 'removeAgent':
      agents.remove(id)
      break
    case 'assignGroup':
      agents.changeGroups({ kind: 'assign', ids: [id], group: fault.group })
      break
    case 'unassignGroup':
      agents.changeGroups({ kind: 'unassign', ids: [id], group: fault.group })
      break
    case 'replaceGroups':
      agents.changeGroups({ kind: 'replace', ids: [id], groups: fault.groups.split(',') })
      break
    case 'agentConnects':
      agents.connect(fault.node, id)
      break
    case 'agentMoves':
      agents.connect(fault.b, id)
      break
    case 'agentTwice':
      agents.connect(fault.a, id)
      agents.connectClone(fault.b, id, fault.durationMs)
      break
    case 'agentShutsDown':
      agents.silence(id, fault.node)
      agents.say(fault.node, id, 'stops')
      break
    case 'agentLost':
      agents.silence(id, fault.node)
      break
    default:
  }
}

const injectManagedGroupFault = (agents: ManagedAgents, fault: FaultOf<'agents'>): void => {
  if (fault.kind === 'enrolAgent') agents.enrol(fault.node)
  if (fault.kind === 'createGroup') agents.createGroup(fault.group)
  if (fault.kind === 'deleteGroup') agents.removeGroup(fault.group)
}
