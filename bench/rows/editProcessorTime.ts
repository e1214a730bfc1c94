/** What one edit in a very large tree costs the master. */
import { editCount, timeEdits } from '../measures/edits.js'
import { makeHomes, startPair } from '../measures/fiftyThousandFiles.js'
import { processorMsOf } from '../measures/processorTime.js'
import { atMost, type Row } from '../row.js'
import { sleep } from '../workshop.js'

const fileCount = 100_000
const hourMs = 3_600_000
/** The worker has the merged files of all groups by then. */
const settleMs = 8_000

export const editProcessorTime: Row = {
  name: 'one edit in 100 000 files, what it costs the master (slow)',
  target: '≤ 8 ms of CPU',
  isSlow: true,
  run: async (workshop) => {
    // A scan of the whole tree is not the price of an edit.
    const timings = { recalculateIntegrityMs: hourMs }
    const { homes, master } = await startPair(workshop, timings, makeHomes(workshop, workshop.scaled(fileCount)))
    await sleep(settleMs)
    const [cpuMs = Number.NaN] = await processorMsOf([master], async () => {
      await timeEdits(homes.paths, { edited: homes.master, worker: homes.worker, wantedOf: (_, content) => content })
    })
    return [
      {
        what: '',
        measured: cpuMs / editCount,
        unit: 'ms',
        ...atMost(8),
        note: `mean of ${editCount} edits that are sent to one worker, all threads, without periodic scans; ${homes.paths.length} files`,
      },
    ]
  },
}
