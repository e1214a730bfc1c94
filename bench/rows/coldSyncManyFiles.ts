/** An empty worker gets a tree of very many small files. */
import { coldSyncOf, startMaster } from '../measures/coldSync.js'
import { atMost, type Row } from '../row.js'
import { fillHome } from '../trees.js'

const fileCount = 500_000
const fileBytes = 1_000

export const coldSyncManyFiles: Row = {
  name: 'cold sync, 500 000 files of 1 KB, one worker (slow)',
  target: '≤ 30 s, ≤ 500 MB, event loop never blocked over 50 ms',
  isSlow: true,
  run: async (workshop) => {
    const masterHome = workshop.place('many-files')
    const count = workshop.scaled(fileCount)
    fillHome(masterHome, { count, bytes: count * fileBytes })
    const { port } = await startMaster(workshop, masterHome)
    const { cpuSeconds, longestBlockMs, peakMB, seconds } = await coldSyncOf(workshop, { port, masterHome, workers: 1 })
    const note = `from the dial of a running worker until the last of ${count} files is in place; ${cpuSeconds.toFixed(1)} s of processor time of the worker; the trees are compared byte for byte`
    return [
      { what: 'until the last file', measured: seconds, unit: 's', ...atMost(30), note },
      { what: "the worker's peak", measured: peakMB, unit: 'MB', ...atMost(500), note: 'resident memory' },
      { what: "longest block of the worker's event loop", measured: longestBlockMs, unit: 'ms', ...atMost(50) },
    ]
  },
}
