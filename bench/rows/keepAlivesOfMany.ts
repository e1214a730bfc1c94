/** The steady state of a large cluster: 50 000 agents at 25 workers, each with a keep-alive every 10 s, and what that costs the master. */
import { startAgentCluster } from '../measures/agentCluster.js'
import { atMost, type Row } from '../row.js'
import { sleep } from '../workshop.js'

const workerCount = 25
const agentsPerWorker = 2_000
const workersPerProcess = 5
/** Each agent reports once in this many turns of one second. */
const turns = 10
const agentsPerTurn = agentsPerWorker / turns
const turnMs = 1_000
const warmUpTurns = 2 * turns
const measuredTurns = 6 * turns
/** How far the memory of a process goes up and down by itself. */
const growthPercentMax = 5

const mean = (samples: readonly number[]): number => samples.reduce((sum, sample) => sum + sample, 0) / samples.length

export const keepAlivesOfMany: Row = {
  name: 'master with 25 workers × 2 000 agents, all keep-alives every 10 s',
  target: '≤ 15 % of one core, memory flat',
  run: async (workshop) => {
    const { master, workers } = await startAgentCluster(workshop, {
      agents: workerCount * agentsPerWorker,
      workers: workerCount,
      workersPerProcess,
    })
    const report = async (turn: number, facts?: string): Promise<void> => {
      const at = (turn % turns) * agentsPerTurn
      await Promise.all(
        workers.map(({ child, node }, index) =>
          child.call('report', {
            node,
            first: 1 + index * agentsPerWorker + at,
            count: agentsPerTurn,
            ...(facts !== undefined && { facts }),
          }),
        ),
      )
    }
    const usage = () => master.child.call('usage', { collect: false })
    const runTurns = async (count: number, facts?: string): Promise<number[]> => {
      const residentMB: number[] = []
      for (let turn = 0; turn < count; turn++) {
        const rest = sleep(turnMs)
        await report(turn, facts)
        residentMB.push((await usage()).rssMB)
        await rest
      }
      return residentMB
    }
    await runTurns(turns, 'first')
    await runTurns(warmUpTurns)
    await master.child.call('forget', undefined)
    const before = await usage()
    const residentMB = await runTurns(measuredTurns)
    const after = await usage()
    const merges = await master.child.call('covered', { type: 'merged', node: master.node, files: 0 })
    const seconds = (after.atMs - before.atMs) / 1000
    const rows = merges.reduce((sum, { files }) => sum + files, 0)
    const third = Math.floor(residentMB.length / 3)
    const [first, last] = [mean(residentMB.slice(0, third)), mean(residentMB.slice(-third))]
    return [
      {
        what: 'CPU',
        measured: ((after.cpuMs - before.cpuMs) / 1000 / seconds) * 100,
        unit: '%',
        ...atMost(15),
        wazuh: '53 %, its own limit',
        note: `of one core, all threads of the master, over ${seconds.toFixed(0)} s with the default intervals; ${(rows / seconds).toFixed(0)} keep-alives a second reached its table; the workers are in ${workerCount / workersPerProcess} other processes`,
      },
      {
        what: 'memory',
        measured: ((last - first) / first) * 100,
        unit: '%',
        ...atMost(growthPercentMax),
        note: `more in the last third (${last.toFixed(0)} MB resident on average) than in the first (${first.toFixed(0)} MB)`,
      },
    ]
  },
}
