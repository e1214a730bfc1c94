/** What a node leaves to a real Wazuh manager on its machine, and which of Wazuh's programs does it. */
import { ClusterError } from '../../base/errors.js'
import { agentIdText } from './agent.js'

/** `wazuh`: the programs of a real manager run beside this node, and agents, their groups and merged.mg are theirs. */
export type Manager = 'none' | 'wazuh'

export type LeftChange =
  | { readonly kind: 'add' }
  | { readonly kind: 'remove'; readonly id: number }
  | { readonly kind: 'groups' }
  | { readonly kind: 'reconnect' }

const programs = (change: LeftChange, home: string): string => {
  switch (change.kind) {
    case 'add':
      return `Agents are enrolled by the Wazuh manager of the master: use ${home}/bin/manage_agents there, agent-auth on the agent's machine`
    case 'remove':
      return `Agents are removed by the Wazuh manager of the master: use ${home}/bin/manage_agents -r ${agentIdText(change.id)} there`
    case 'reconnect':
      return `Agents are asked to reconnect by the Wazuh manager of each node: restart ${home}/bin/wazuh-control there`
    case 'groups':
      return `The groups of agents are kept by the Wazuh manager of the master: use Wazuh's own ${home}/bin/agent_groups there`
  }
}

export const leftToManager = (change: LeftChange, home: string): ClusterError =>
  new ClusterError('leftToManager', { message: `${programs(change, home)}, or Wazuh's REST API` })

/** For the log, at the start of a node whose configuration has these services. */
export const servicesLeftToManager =
  'Enrolment (<auth>) and the listener of agents (<remote>) are off: wazuh-authd and wazuh-remoted of the Wazuh manager have these ports.'

/** For the log, at the start. */
export const saysWhatIsLeft = (role: 'master' | 'worker', home: string): string => {
  const left = role === 'master' ? 'enrolling and removing agents, their groups, merged.mg and queue/rids' : 'queue/rids'
  return `Left to the Wazuh manager in ${home}: ${left}.`
}
