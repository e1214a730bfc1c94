/** What a worker says to agent_control, which works on the master only: Wazuh's sentence, which scripts know. */
import { ClusterError } from '../../base/errors.js'

export const notOnWorker = (masterAddress: string): ClusterError =>
  new ClusterError('notOnWorker', {
    message:
      'Wazuh is running in cluster mode: agent_control is not available in worker nodes. ' +
      `Please, try again in the master node: ${masterAddress}.`,
  })
