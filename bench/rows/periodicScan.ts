/** The scan that a master runs every few seconds: its CPU time, and whether it holds up everything else. */
import type { NodeCalls } from '../children/node.js'
import { fiftyThousandFiles, fileCount } from '../measures/fiftyThousandFiles.js'
import { atMost, type Row } from '../row.js'

const restMs = 1_000
const warmUpScans = 3
const scans = 6

export const periodicScan: Row = {
  name: 'periodic scan of 50 000 unchanged files',
  target: '≤ 0.5 s of CPU, event loop never blocked over 50 ms',
  run: async (workshop) => {
    const home = fiftyThousandFiles(workshop).master
    const master = workshop.child<NodeCalls>('node')
    await master.call('start', { node: 'master', type: 'master', home, port: 0, timings: { recalculateIntegrityMs: restMs } })
    await master.call('happened', { type: 'scanned', count: warmUpScans })
    await master.call('forget', undefined)
    await master.call('watchLoop', undefined)
    const scanned = await master.call('happened', { type: 'scanned', count: scans + 1 })
    const blockMs = await master.call('longestBlockMs', undefined)
    const [first, last] = [scanned.at(0), scanned.at(-1)]
    // In addition to them, the merged file that the master builds for each group.
    if (!first || !last || last.files < fileCount) throw new Error(`${last?.files} files were scanned`)
    return [
      {
        what: 'CPU, all threads',
        measured: (last.cpuMs - first.cpuMs) / scans / 1000,
        unit: 's',
        ...atMost(0.5),
        note: `mean of ${scans} scans, with the ${restMs / 1000} s of rest between them`,
      },
      { what: 'longest block of the event loop', measured: blockMs, unit: 'ms', ...atMost(50) },
    ]
  },
}
