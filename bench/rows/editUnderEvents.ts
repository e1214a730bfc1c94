/** The cluster while a node takes events of agents: how soon an edit is on a worker's disk, beside the same without events. */
import { loadAgents } from '../agentEvents.js'
import type { AgentLoadCalls } from '../children/agentLoad.js'
import { editCount, timeEdits } from '../measures/edits.js'
import { startPair } from '../measures/fiftyThousandFiles.js'
import { NotMeasurable, type Row } from '../row.js'
import { median, percentile } from '../statistics.js'
import { sleep } from '../workshop.js'

const perSecond = 20_000
const bytesMax = 2 ** 28
/** More than all edits take. */
const seconds = 600
const warmUpMs = 2_000

export const editUnderEvents: Row = {
  name: 'one edit in 50 000 files under 20 000 events/s',
  target: 'p95 ≤ 2 × without events',
  run: async (workshop) => {
    const { homes, worker } = await startPair(workshop)
    const edit = (first: number) =>
      timeEdits(homes.paths, { first, edited: homes.master, worker: homes.worker, wantedOf: (_, content) => content })
    const alone = await edit(editCount)
    const agents = loadAgents(20)
    const load = workshop.child<AgentLoadCalls>('agentLoad')
    const port = await worker.call('listen', { home: workshop.place('events'), agents, transport: 'tcp', bytesMax })
    let hasEnded = false
    await load.call('prepare', { agents, transport: 'tcp' })
    load.call('tcp', { port, seconds, perSecond }).then(
      () => {
        hasEnded = true
      },
      () => {
        hasEnded = true
      },
    )
    await sleep(warmUpMs)
    const before = await load.call('sent', undefined)
    const under = await edit(2 * editCount)
    const after = await load.call('sent', undefined)
    if (hasEnded) throw new NotMeasurable('The agents ended before the edits did')
    const rate = ((after.count - before.count) / (after.atMs - before.atMs)) * 1_000
    return [
      {
        what: 'p95',
        measured: percentile(under, 0.95),
        unit: 'ms',
        beside: { peer: 'without events', value: percentile(alone, 0.95) },
        target: { bound: 'atMost', factor: 2 },
        note: `p50 ${median(under).toFixed(0)} ms, without events ${median(alone).toFixed(0)} ms; ${editCount} edits; ${Math.round(rate)} events/s of 20 agents to the worker, whose listener is in the same process`,
      },
    ]
  },
}
