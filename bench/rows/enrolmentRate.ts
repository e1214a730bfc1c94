/** Many agents enrol at the same time, over TLS as they do it: how many in a second, how long each waits, and when all nodes know them. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { keysPath } from '../agents.js'
import type { EnrollersCalls } from '../children/enrollers.js'
import { startAgentCluster } from '../measures/agentCluster.js'
import { atLeast, atMost, type Figure, type Row } from '../row.js'
import { median, percentile } from '../statistics.js'
import { systemMs } from '../systemClock.js'
import { sleep, type Workshop } from '../workshop.js'

const inFlight = 16
const seconds = 10
const warmUpSeconds = 1
const manyAgents = 100_000
/** By then the first checks are over. */
const settleMs = 6_000
const pollMs = 10
const knownMsMax = 30_000

interface Setting {
  readonly what: string
  readonly agents: number
  readonly at: 'master' | 'worker'
  readonly perSecondMin: number
}

const measured = async (workshop: Workshop, { agents, at, perSecondMin, what }: Setting): Promise<readonly Figure[]> => {
  const { master, workers } = await startAgentCluster(workshop, { agents, workers: 1, hasServices: true })
  const [worker] = workers
  if (!worker) throw new Error('There is no worker')
  await sleep(settleMs)
  const { child, node } = at === 'master' ? master : worker
  const { enrolment: port } = await child.call('servicePorts', { node })
  const enrollers = workshop.child<EnrollersCalls>('enrollers')
  const warm = await enrollers.call('enrol', { port, prefix: 'warm', inFlight, seconds: warmUpSeconds })
  const before = await master.child.call('usage', { collect: false })
  const enrolled = await enrollers.call('enrol', { port, prefix: 'new', inFlight, seconds })
  const after = await master.child.call('usage', { collect: false })
  const total = agents + warm.count + enrolled.count
  const isSame = (): boolean => readFileSync(join(worker.home, keysPath)).equals(readFileSync(join(master.home, keysPath)))
  while (!isSame()) {
    if (systemMs() - enrolled.atMs > knownMsMax) throw new Error('The worker does not get the keys')
    await sleep(pollMs)
  }
  const inFileMs = systemMs() - enrolled.atMs
  const taken = await worker.child.call('covered', { type: 'keysTaken', node: worker.node, files: total })
  const inTableMs = Math.max(inFileMs, (taken.at(-1)?.atMs ?? enrolled.atMs) - enrolled.atMs)
  const each = (cpuMs: number): string => (cpuMs / enrolled.count).toFixed(2)
  const cpu = `${each(after.cpuMs - before.cpuMs)} ms of the master's CPU each, ${each(enrolled.cpuMs)} of its agent's`
  const note = `agents and both nodes on this machine; ${enrolled.count} in ${enrolled.seconds.toFixed(1)} s, p50 ${median(enrolled.took).toFixed(0)} ms; ${cpu}`
  return [
    { what: `${what}, each second`, measured: enrolled.count / enrolled.seconds, unit: '/s', ...atLeast(perSecondMin), note },
    { what: `${what}, p99`, measured: percentile(enrolled.took, 0.99), unit: 'ms', ...atMost(300) },
    { what: `${what}, all keys on all nodes`, measured: inTableMs, unit: 'ms', ...atMost(1_000), note: 'after the last answer' },
  ]
}

export const enrolmentRate: Row = {
  name: 'enrolments for 10 s, 16 at a time, over TLS (slow)',
  target: '≥ 500/s on the master, ≥ 300/s through a worker, p99 ≤ 300 ms, ≥ 100/s among 100 000, all keys everywhere ≤ 1 s later',
  isSlow: true,
  run: async (workshop) => [
    ...(await measured(workshop, { what: 'on the master', agents: 10, at: 'master', perSecondMin: 500 })),
    ...(await measured(workshop, { what: 'through a worker', agents: 10, at: 'worker', perSecondMin: 300 })),
    ...(await measured(workshop, { what: 'among 100 000', agents: workshop.scaled(manyAgents), at: 'master', perSecondMin: 100 })),
  ],
}
