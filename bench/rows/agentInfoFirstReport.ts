/** Agents that a worker reports for the first time: very many of them, and how the time grows. */
import { exponentOf, type Point } from '../growth/exponent.js'
import { startAgentCluster } from '../measures/agentCluster.js'
import { agentInfoRound, firstRoundOver, onlyForUpdates, reportingAgents } from '../measures/agentInfo.js'
import { atMost, type Row } from '../row.js'
import type { Workshop } from '../workshop.js'

const agentCount = 500_000

interface FirstReport extends Point {
  readonly cpuSeconds: number
}

const firstReport = async (workshop: Workshop, agents: number): Promise<FirstReport> => {
  const { master, workers } = await startAgentCluster(workshop, { agents, workers: 1, timings: onlyForUpdates })
  const [worker] = workers
  if (!worker) throw new Error('There is no worker')
  await firstRoundOver(worker)
  const { cpuSeconds, seconds } = await agentInfoRound(master, worker, 'first', agents)
  await workshop.tidy()
  return { count: agents, cost: seconds, cpuSeconds }
}

export const agentInfoFirstReport: Row = {
  name: 'agent-info, first report of 500 000 agents (slow)',
  target: '≤ 11 s; 50 000 of them ≤ 0.6 s; k ≤ 1.1 in seconds = c · agents^k',
  isSlow: true,
  run: async (workshop) => {
    const few = await firstReport(workshop, workshop.scaled(reportingAgents))
    const many = await firstReport(workshop, workshop.scaled(agentCount))
    const note = ({ count, cpuSeconds }: FirstReport): string =>
      `${count} agents, from the worker's table to the master's; ${cpuSeconds.toFixed(2)} s of processor time in both processes`
    return [
      { what: '', measured: many.cost, unit: 's', ...atMost(11), note: note(many) },
      { what: '50 000 agents', measured: few.cost, unit: 's', ...atMost(0.6), note: note(few) },
      { what: 'k', measured: exponentOf([few, many]), unit: '', ...atMost(1.1) },
    ]
  },
}
