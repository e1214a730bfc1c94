/** The periodic scan of a very large tree, with its rests: how much of a core it takes. */
import type { NodeCalls } from '../children/node.js'
import { atMost, type Row } from '../row.js'
import { fillHome } from '../trees.js'

const fileCount = 500_000
const fileBytes = 100
/** The first reads all content, the second comes upon the merged files. */
const warmUpScans = 2
const scans = 2

export const scanShare: Row = {
  name: 'periodic scan of 500 000 unchanged files, its share of a core (slow)',
  target: '≤ 10 % while the watcher works',
  isSlow: true,
  run: async (workshop) => {
    const home = workshop.place('scanned-master')
    const count = workshop.scaled(fileCount)
    fillHome(home, { count, bytes: count * fileBytes })
    const master = workshop.child<NodeCalls>('node')
    await master.call('start', { node: 'master', type: 'master', home, port: 0 })
    const scanned = (await master.call('happened', { type: 'scanned', count: warmUpScans + scans })).slice(warmUpScans - 1)
    const [first, last] = [scanned.at(0), scanned.at(-1)]
    if (!first || !last || last.files < count) throw new Error(`${last?.files} files were scanned`)
    const cpuMs = last.cpuMs - first.cpuMs
    const periodMs = (last.atMs - first.atMs) / scans
    return [
      {
        what: '',
        measured: (cpuMs / scans / periodMs) * 100,
        unit: '%',
        ...atMost(10),
        note: `${(cpuMs / scans / 1000).toFixed(2)} s of CPU, all threads, every ${(periodMs / 1000).toFixed(1)} s: the mean of ${scans} scans of ${last.files} files with their rests, default intervals`,
      },
    ]
  },
}
