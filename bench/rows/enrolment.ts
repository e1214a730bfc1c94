/** One agent is enrolled where there are 100 000: how soon four workers know it, and what it costs on the wire. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { keysPath } from '../agents.js'
import { type AgentMember, startAgentCluster } from '../measures/agentCluster.js'
import { atMost, type Row } from '../row.js'
import { median, percentile } from '../statistics.js'
import { sleep } from '../workshop.js'

const agents = 100_000
const workerCount = 4
const enrolments = 30
const pauseMs = { min: 300, spread: 400 }
/** By then the first checks are over, and later the reports are on the wire. */
const settleMs = 2_000

const wireBytes = async ({ child, node }: AgentMember): Promise<number> => {
  const { bytesReceived, bytesSent } = await child.call('counters', node)
  return bytesReceived + bytesSent
}

export const enrolment: Row = {
  name: 'one enrolment, client.keys of 100 000 agents, to four workers',
  target: 'p95 ≤ 500 ms, ≤ 2 % of the file on the wire',
  run: async (workshop) => {
    const { master, workers } = await startAgentCluster(workshop, { agents, workers: workerCount })
    await sleep(settleMs)
    const bytesBefore = await Promise.all(workers.map(wireBytes))
    const inFile: number[] = []
    const inTable: number[] = []
    for (let enrolled = 0; enrolled < enrolments; enrolled++) {
      const { atMs } = await master.child.call('ask', {
        node: master.node,
        request: { kind: 'addAgent', name: `new-${enrolled}`, ip: 'any', key: 'f'.repeat(64), groups: [], tool: 'agent_control' },
      })
      const arrived = (type: 'applied' | 'keysTaken') =>
        Promise.all(workers.map(({ child, node }) => child.call('happenedAfter', { type, node, atMs })))
      for (const [type, took] of [
        ['applied', inFile],
        ['keysTaken', inTable],
      ] as const)
        took.push(Math.max(...(await arrived(type)).map((event) => event.atMs)) - atMs)
      await sleep(pauseMs.min + Math.random() * pauseMs.spread)
    }
    await sleep(settleMs)
    const bytesAfter = await Promise.all(workers.map(wireBytes))
    const content = readFileSync(join(master.home, keysPath))
    const isSame = ({ home }: AgentMember): boolean => readFileSync(join(home, keysPath)).equals(content)
    if (!workers.every(isSame)) throw new Error("The workers' client.keys are not the master's")
    const bytesEach = Math.max(...bytesAfter.map((bytes, index) => bytes - (bytesBefore[index] ?? 0))) / enrolments
    const fileBytes = statSync(join(master.home, keysPath)).size
    const note = (took: readonly number[]): string =>
      `p50 ${median(took).toFixed(0)} ms, slowest ${Math.max(...took).toFixed(0)} ms of ${enrolments}, from the command on until the last of ${workerCount} workers`
    const wazuh = 'the whole file to each worker'
    return [
      { what: 'p95 in their files', measured: percentile(inFile, 0.95), unit: 'ms', ...atMost(500), wazuh, note: note(inFile) },
      { what: 'p95 in their tables', measured: percentile(inTable, 0.95), unit: 'ms', ...atMost(500), note: note(inTable) },
      {
        what: 'on the wire for each worker',
        measured: (bytesEach / fileBytes) * 100,
        unit: '%',
        ...atMost(2),
        wazuh: '100 %',
        note: `${(bytesEach / 1000).toFixed(0)} KB of ${(fileBytes / 1e6).toFixed(1)} MB, both ways, with the checks and reports`,
      },
    ]
  },
}
