/** One agent gets another group on the master: how soon the worker's table has it. */
import { groupedAgents, movedGroup, startGroupedAgents } from '../measures/groupedAgents.js'
import { atMost, type Row } from '../row.js'
import { median, percentile } from '../statistics.js'
import { sleep } from '../workshop.js'

const changeCount = 50
const pauseMs = { min: 100, spread: 200 }

export const groupChange: Row = {
  name: "one group change of 100 000 agents, master to worker's table",
  target: 'p95 ≤ 300 ms',
  run: async (workshop) => {
    const { master, workers } = await startGroupedAgents(workshop)
    const [worker] = workers
    if (!worker) throw new Error('There is no worker')
    await worker.child.call('openGate', undefined)
    await worker.child.call('happened', { type: 'groupsTaken', count: 1 })
    const took: number[] = []
    for (let change = 0; change < changeCount; change++) {
      await sleep(pauseMs.min + Math.random() * pauseMs.spread)
      const ids = [1 + Math.floor(((change + 0.5) / changeCount) * groupedAgents)]
      const { atMs } = await master.child.call('ask', {
        node: master.node,
        request: { kind: 'changeGroups', change: { kind: 'assign', ids, group: movedGroup }, tool: 'agent_groups' },
      })
      const taken = await worker.child.call('happenedAfter', { type: 'groupsTaken', node: worker.node, atMs })
      if (taken.failures > 0) throw new Error("The worker's groups are not the master's")
      took.push(taken.atMs - atMs)
    }
    return [
      {
        what: 'p95',
        measured: percentile(took, 0.95),
        unit: 'ms',
        ...atMost(300),
        wazuh: 'up to 10 s and more',
        note: `p50 ${median(took).toFixed(0)} ms, slowest ${Math.max(...took).toFixed(0)} ms of ${changeCount} changes, from the command on`,
      },
    ]
  },
}
