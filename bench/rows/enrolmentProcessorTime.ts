/** What one enrolment costs where there are very many agents. */
import { startAgentCluster } from '../measures/agentCluster.js'
import { processorMsOf } from '../measures/processorTime.js'
import { atMost, type Row } from '../row.js'
import { sleep } from '../workshop.js'

const agentCount = 500_000
const enrolments = 5
/** The first checks are over. */
const settleMs = 8_000
/** What follows an enrolment, as the worker's report, is over. */
const pauseMs = 2_000

export const enrolmentProcessorTime: Row = {
  name: 'one enrolment among 500 000 agents, what it costs (slow)',
  target: '≤ 0.25 s of CPU each',
  isSlow: true,
  run: async (workshop) => {
    const agents = workshop.scaled(agentCount)
    const { master, workers } = await startAgentCluster(workshop, { agents, workers: 1 })
    await sleep(settleMs)
    const [worker] = workers
    if (!worker) throw new Error('There is no worker')
    const [masterMs = Number.NaN, workerMs = Number.NaN] = await processorMsOf([master.child, worker.child], async () => {
      for (let enrolled = 0; enrolled < enrolments; enrolled++) {
        const { atMs } = await master.child.call('ask', {
          node: master.node,
          request: { kind: 'addAgent', name: `new-${enrolled}`, ip: 'any', key: 'f'.repeat(64), groups: [], tool: 'agent_control' },
        })
        await worker.child.call('happenedAfter', { type: 'keysTaken', node: worker.node, atMs })
        await sleep(pauseMs)
      }
    })
    const note = `mean of ${enrolments} enrolments, all threads; ${agents} agents`
    return [
      { what: 'the master', measured: masterMs / enrolments / 1000, unit: 's', ...atMost(0.25), note },
      { what: 'a worker', measured: workerMs / enrolments / 1000, unit: 's', ...atMost(0.25), note },
    ]
  },
}
