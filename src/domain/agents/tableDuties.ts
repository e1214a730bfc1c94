/** What a node's table of agents does beyond keeping rows, by the node's role and by whether a real manager has the agents. */
import type { Manager } from './leftToManager.js'

export interface TableOwner {
  readonly role: 'master' | 'worker'
  readonly manager: Manager
}

/** Whether what the node itself recorded has to be sent. The database of a real manager on a master is where it comes from. */
export const sendsRecorded = ({ manager, role }: TableOwner): boolean => role === 'worker' || manager === 'none'

/** Whether what came from other nodes has to be sent on: to the database of a real manager. */
export const sendsMerged = ({ manager }: TableOwner): boolean => manager === 'wazuh'

/** Whether an agent that reports for the first time gets the group `default` here. */
export const givesDefaultGroup = ({ manager, role }: TableOwner): boolean => role === 'master' && manager === 'none'
