/** Keep-alives of 50 000 agents, from a worker's table to the master's. */
import { startAgentCluster } from '../measures/agentCluster.js'
import { type AgentInfoRound, agentInfoRound, firstRoundOver, reportingAgents } from '../measures/agentInfo.js'
import { atMost, type Row } from '../row.js'
import { median } from '../statistics.js'

const repeats = 5

export const agentInfoKeepAlives: Row = {
  name: 'agent-info, 50 000 keep-alives only, table to table',
  target: '≤ 0.2 s',
  run: async (workshop) => {
    const timings = { syncAgentInfoMs: 3_000 }
    const { master, workers } = await startAgentCluster(workshop, { agents: reportingAgents, workers: 1, timings })
    const [worker] = workers
    if (!worker) throw new Error('There is no worker')
    await firstRoundOver(worker)
    await agentInfoRound(master, worker, 'first')
    const rounds: AgentInfoRound[] = []
    for (let round = 0; round < repeats; round++) rounds.push(await agentInfoRound(master, worker))
    const wireMB = median(rounds.map((round) => round.wireMB))
    return [
      {
        what: '',
        measured: median(rounds.map(({ seconds }) => seconds)),
        unit: 's',
        ...atMost(0.2),
        wazuh: '0.65 s',
        note: `median of ${repeats} rounds (${rounds.map(({ seconds }) => seconds.toFixed(2)).join(', ')} s), ${median(rounds.map(({ cpuSeconds }) => cpuSeconds)).toFixed(2)} s of processor time in both processes`,
      },
      {
        what: 'on the wire',
        measured: wireMB,
        unit: 'MB',
        ...atMost(2.9),
        wazuh: '2.9 MB',
        note: "both ways; the limit is what Wazuh's daemon sends",
      },
    ]
  },
}
