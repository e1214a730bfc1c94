/** Agents of a worker's real manager on their way to the master's: from the wazuh-db of one to that of the other. */
import type { StatesGiven, WazuhDbCalls } from '../children/wazuhDb.js'
import { startAgentCluster } from '../measures/agentCluster.js'
import { atMost, type Row } from '../row.js'
import { median } from '../statistics.js'

const changedAgents = 5_000
const rounds = 3

export const statesBetweenManagers: Row = {
  name: 'states of 5 000 agents, wazuh-db to wazuh-db',
  target: '≤ 1 s',
  run: async (workshop) => {
    const agents = workshop.scaled(changedAgents)
    const db = workshop.child<WazuhDbCalls>('wazuhDb')
    await startAgentCluster(workshop, {
      agents,
      workers: 1,
      prepare: async (home, workers) => {
        await db.call('start', { node: 'master', home, role: 'master', agents })
        for (const [index, worker] of workers.entries())
          await db.call('start', { node: `w${index + 1}`, home: worker, role: 'worker', agents })
      },
    })
    const given: StatesGiven[] = []
    for (let round = 0; round < rounds; round++)
      given.push(await db.call('states', { from: 'w1', to: 'master', agents, round: `round ${round}` }))
    const seconds = given.map((round) => round.seconds)
    const ofFakes = median(given.map(({ cpuSeconds }) => cpuSeconds))
    return [
      {
        what: '',
        measured: median(seconds),
        unit: 's',
        ...atMost(1),
        note: `median of ${rounds} rounds (${seconds.map((value) => value.toFixed(2)).join(', ')} s), all rows whole, ${given.at(-1)?.requests} requests to the master's; both fakes of wazuh-db are one process, whose ${ofFakes.toFixed(2)} s of processor time count`,
      },
    ]
  },
}
