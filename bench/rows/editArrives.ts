/** One file of a large tree is edited on the master: how soon the worker's disk has it, and what that costs on the wire. */
import { editCount, newContent, timeEdits } from '../measures/edits.js'
import { startPair } from '../measures/fiftyThousandFiles.js'
import { atMost, type Row } from '../row.js'
import { median, percentile } from '../statistics.js'
import { sleep } from '../workshop.js'

/** Reports and last checks are on the wire by then. */
const settleMs = 1_000

export const editArrives: Row = {
  name: "one edit in 50 000 files, master to worker's disk",
  target: 'p95 ≤ 250 ms, ≤ 32 KB besides the content',
  run: async (workshop) => {
    const { homes, worker } = await startPair(workshop)
    const before = await worker.call('counters', 'w1')
    const took = await timeEdits(homes.paths, { edited: homes.master, worker: homes.worker, wantedOf: (_, content) => content })
    await sleep(settleMs)
    const after = await worker.call('counters', 'w1')
    const bytes = after.bytesSent + after.bytesReceived - before.bytesSent - before.bytesReceived
    return [
      {
        what: 'p95',
        measured: percentile(took, 0.95),
        unit: 'ms',
        ...atMost(250),
        note: `p50 ${median(took).toFixed(0)} ms, slowest ${Math.max(...took).toFixed(0)} ms of ${editCount} edits, default intervals`,
      },
      {
        what: 'on the wire besides the content',
        measured: (bytes / editCount - newContent(0).byteLength) / 1000,
        unit: 'KB',
        ...atMost(32),
        note: 'both ways, with the checks and reports',
      },
    ]
  },
}
