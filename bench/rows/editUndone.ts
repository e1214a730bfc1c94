/** One file of a large tree is edited on the worker: how soon it is what the master has again. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { editCount, timeEdits } from '../measures/edits.js'
import { startPair } from '../measures/fiftyThousandFiles.js'
import { atMost, type Row } from '../row.js'
import { median, percentile } from '../statistics.js'

export const editUndone: Row = {
  name: 'an edit on the worker undone',
  target: 'p95 ≤ 300 ms',
  run: async (workshop) => {
    const { homes } = await startPair(workshop)
    // Not the files that the row before has edited.
    const paths = [...homes.paths].reverse()
    const took = await timeEdits(paths, {
      edited: homes.worker,
      worker: homes.worker,
      wantedOf: (path) => readFileSync(join(homes.master, path)),
    })
    return [
      {
        what: '',
        measured: percentile(took, 0.95),
        unit: 'ms',
        ...atMost(300),
        note: `p95; p50 ${median(took).toFixed(0)} ms, slowest ${Math.max(...took).toFixed(0)} ms of ${editCount} edits, 50 000 files, default intervals`,
      },
    ]
  },
}
