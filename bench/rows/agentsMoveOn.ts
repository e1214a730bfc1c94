/** A worker with many agents is drained, another one killed: how soon all agents are at the next node of their list, and what was lost. */
import { agentKeys } from '../agents.js'
import type { FleetCalls } from '../children/fleet.js'
import { startAgentCluster } from '../measures/agentCluster.js'
import { atMost, type Figure, type Row } from '../row.js'
import { systemMs } from '../systemClock.js'
import { sleep, type Workshop } from '../workshop.js'

const agentCount = 1_000
const retryIntervalMs = 1_000
const maxRetries = 2
/** Of their events, until the node goes. */
const reportMs = 5_000
/** An agent that lost its node tries it this often, and then the next one. */
const reconnectMs = retryIntervalMs * maxRetries
const marginMs = 2_000

const measured = async (workshop: Workshop, how: 'drained' | 'killed', msMax: number): Promise<readonly Figure[]> => {
  const agents = workshop.scaled(agentCount)
  const { master, workers } = await startAgentCluster(workshop, { agents, workers: 2, hasServices: true })
  const [first, second] = workers
  if (!first || !second) throw new Error('There are no workers')
  const ports = await Promise.all(workers.map(async ({ child, node }) => (await child.call('servicePorts', { node })).listener))
  const [firstPort = 0, secondPort = 0] = ports
  const fleet = workshop.child<FleetCalls>('fleet')
  await fleet.call('start', {
    ...{ keys: agentKeys(agents), ports, homes: [master, ...workers].map(({ home }) => home), eventsPerSecond: 2, startsPerSecond: agents },
    ...{ maxRetries, retryIntervalMs, notifyMs: 10_000 },
  })
  await fleet.call('connected', { count: agents, port: firstPort })
  await sleep(reportMs)
  const goneMs = systemMs()
  const gone = how === 'drained' ? first.child.call('stop', undefined) : first.child.kill()
  const tookMs = (await fleet.call('connected', { count: agents, port: secondPort })) - goneMs
  await gone
  await sleep(reportMs)
  const { duplicated, inFlight, lost, received, sent } = await fleet.call('stop', undefined)
  const note = `${agents} agents, ${sent} events sent, ${received} received, ${duplicated} duplicated, ${inFlight} in flight`
  return [
    { what: `${how}: all at the next node`, measured: tookMs / 1_000, unit: 's', ...atMost(msMax / 1_000), note },
    { what: `${how}: taken events lost`, measured: lost, unit: '', ...atMost(0) },
  ]
}

export const agentsMoveOn: Row = {
  name: 'a worker with 1 000 agents goes',
  target: `drained: all elsewhere ≤ 5 s; killed: ≤ the agents' ${reconnectMs / 1_000} s of attempts + 2 s; 0 taken events lost`,
  run: async (workshop) => [
    ...(await measured(workshop, 'drained', 5_000)),
    ...(await measured(workshop, 'killed', reconnectMs + marginMs)),
  ],
}
