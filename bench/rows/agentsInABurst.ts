/** All agents of a node connect to it within a second, as after its restart, while the cluster goes on: edits, enrolments, keep-alives. */
import { join } from 'node:path'
import { agentKeys } from '../agents.js'
import type { EnrollersCalls } from '../children/enrollers.js'
import type { FleetCalls } from '../children/fleet.js'
import { type AgentMember, startAgentCluster } from '../measures/agentCluster.js'
import { newContent, untilContent } from '../measures/edits.js'
import { atMost, type Row } from '../row.js'
import { percentile } from '../statistics.js'
import { systemMs } from '../systemClock.js'
import { writeSynced } from '../trees.js'
import { sleep, type Workshop } from '../workshop.js'

const agentCount = 10_000
const keepAliveMs = 1_000
const settleMs = 4_000
const pollMs = 100
const activeMsMax = 60_000

const healthOf = async ({ child, node }: AgentMember, worker: string) => {
  const { lines } = await child.call('ask', { node, request: { kind: 'health', nodes: [worker] } })
  const line = lines.find((answer) => answer.kind === 'health')
  if (line?.kind !== 'health') throw new Error('The worker is not connected any more')
  return line.node
}

/** What goes on meanwhile, until it is stopped. */
class Meanwhile {
  readonly edits: number[] = []
  readonly enrolments: number[] = []
  #longestSilenceMs = 0
  #isOver = false
  readonly #running: Promise<unknown>

  constructor(workshop: Workshop, master: AgentMember, worker: AgentMember, enrolmentPort: number) {
    const enrollers = workshop.child<EnrollersCalls>('enrollers')
    this.#running = Promise.all([
      this.#again(async (edit) => {
        const path = `etc/shared/default/burst-${edit % 8}.conf`
        const content = newContent(edit)
        writeSynced(master.home, path, [content])
        const startMs = systemMs()
        await untilContent(join(worker.home, path), content)
        this.edits.push(systemMs() - startMs)
      }),
      this.#again(async (round) => {
        const given = { port: enrolmentPort, prefix: `meanwhile-${round}`, inFlight: 1, seconds: 0.001 }
        this.enrolments.push(...(await enrollers.call('enrol', given)).took)
      }),
      this.#again(async () => {
        const { worker: state } = await healthOf(master, worker.node)
        // By the wall clock, as the master's.
        if (state?.lastKeepAliveMs !== undefined)
          this.#longestSilenceMs = Math.max(this.#longestSilenceMs, Date.now() - state.lastKeepAliveMs)
      }),
    ])
  }

  /** Resolves with the longest time that the master was without a keep-alive of the worker. */
  async end(): Promise<number> {
    this.#isOver = true
    await this.#running
    return this.#longestSilenceMs
  }

  async #again(act: (round: number) => Promise<void>): Promise<void> {
    for (let round = 0; !this.#isOver; round++) {
      await act(round)
      await sleep(pollMs)
    }
  }
}

export const agentsInABurst: Row = {
  name: '10 000 agents connect to one worker within a second',
  target: 'all active ≤ 15 s, no keep-alive of the cluster late, enrolments and edits go on',
  run: async (workshop) => {
    const agents = workshop.scaled(agentCount)
    const { master, workers } = await startAgentCluster(workshop, { agents, workers: 1, hasServices: true, timings: { keepAliveMs } })
    const [worker] = workers
    if (!worker) throw new Error('There is no worker')
    const { enrolment, listener } = await worker.child.call('servicePorts', { node: worker.node })
    await sleep(settleMs)
    const meanwhile = new Meanwhile(workshop, master, worker, enrolment)
    const fleet = workshop.child<FleetCalls>('fleet')
    const startedMs = await fleet.call('start', {
      ...{ keys: agentKeys(agents), ports: [listener], homes: [], eventsPerSecond: 0, startsPerSecond: agents },
      ...{ maxRetries: 5, retryIntervalMs: 1_000, notifyMs: 10_000 },
    })
    const connectedMs = (await fleet.call('connected', { count: agents, port: listener })) - startedMs
    while ((await healthOf(master, worker.node)).activeAgents < agents) {
      if (systemMs() - startedMs > activeMsMax) throw new Error('Not all agents are active')
      await sleep(pollMs)
    }
    const activeMs = systemMs() - startedMs
    const silenceMs = await meanwhile.end()
    const { edits, enrolments } = meanwhile
    const { attemptsFailed } = await fleet.call('counts', undefined)
    return [
      {
        what: 'all active on the master',
        measured: activeMs / 1_000,
        unit: 's',
        ...atMost(15),
        note: `all acknowledged after ${(connectedMs / 1_000).toFixed(1)} s, ${attemptsFailed} attempts failed; the agents and both nodes share this machine`,
      },
      {
        what: 'longest time between keep-alives of the worker',
        measured: silenceMs / 1_000,
        unit: 's',
        ...atMost((2 * keepAliveMs) / 1_000),
        note: `one is due each ${keepAliveMs / 1_000} s`,
      },
      {
        what: "an edit on the worker's disk, p95",
        measured: percentile(edits, 0.95),
        unit: 'ms',
        ...atMost(activeMsMax),
        note: `${edits.length} edits meanwhile; the limit is that they go on`,
      },
      {
        what: 'an enrolment through the worker, p95',
        measured: percentile(enrolments, 0.95),
        unit: 'ms',
        ...atMost(activeMsMax),
        note: `${enrolments.length} enrolments meanwhile; the limit is that they go on`,
      },
    ]
  },
}
