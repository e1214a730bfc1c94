/** A new worker gets the groups of 100 000 agents. */
import { startGroupedAgents } from '../measures/groupedAgents.js'
import { atMost, type Row } from '../row.js'

export const agentGroupsFull: Row = {
  name: 'agent-groups full, 100 000 agents to one new worker',
  target: '≤ 2 s',
  run: async (workshop) => {
    const { workers } = await startGroupedAgents(workshop)
    const [worker] = workers
    if (!worker) throw new Error('There is no worker')
    await worker.child.call('openGate', undefined)
    const [start] = await worker.child.call('happened', { type: 'takingGroups', count: 1 })
    const [end] = await worker.child.call('happened', { type: 'groupsTaken', count: 1 })
    if (!start || !end || end.failures > 0) throw new Error("The worker's groups are not the master's")
    const { bytesReceived, bytesSent } = await worker.child.call('counters', worker.node)
    return [
      {
        what: '',
        measured: (end.atMs - start.atMs) / 1000,
        unit: 's',
        ...atMost(2),
        wazuh: '–',
        note: `from the worker's first question until its table has all; ${((bytesReceived + bytesSent) / 1e6).toFixed(1)} MB on the wire since the connection began`,
      },
    ]
  },
}
