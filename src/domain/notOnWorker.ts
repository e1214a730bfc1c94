/** What a worker says to the programs that work on the master only: Wazuh's sentence, which scripts know. */
import { ClusterError } from '../errors.js'
import type { AgentTool } from './agentQuery.js'

export const notOnWorker = (tool: AgentTool, masterAddress: string): ClusterError =>
  new ClusterError('notOnWorker', {
    message:
      `Wazuh is running in cluster mode: ${tool} is not available in worker nodes. ` +
      `Please, try again in the master node: ${masterAddress}.`,
  })
