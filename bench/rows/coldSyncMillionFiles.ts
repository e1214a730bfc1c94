/** A tree of a million files with long paths reaches an empty worker, and one edit after that costs little on the wire. */
import { join } from 'node:path'
import { coldSyncOf, startMaster } from '../measures/coldSync.js'
import { newContent, untilContent } from '../measures/edits.js'
import { atMost, type Row } from '../row.js'
import { fillHome, writeSynced } from '../trees.js'

const fileCount = 1_000_000
const fileBytes = 200
const pathBytes = 100

export const coldSyncMillionFiles: Row = {
  name: 'cold sync, 1 000 000 files with paths of 100 bytes, one worker (slow)',
  target: 'they sync; an edit ≤ 20 KB on the wire',
  isSlow: true,
  run: async (workshop) => {
    const masterHome = workshop.place('million-files')
    const count = workshop.scaled(fileCount)
    const [edited = ''] = fillHome(masterHome, { count, bytes: count * fileBytes, pathBytes })
    const { master, port } = await startMaster(workshop, masterHome)
    let editBytes = 0
    const { cpuSeconds, peakMB, seconds } = await coldSyncOf(workshop, {
      port,
      masterHome,
      workers: 1,
      afterwards: async ({ child, home, node }) => {
        const before = await child.call('counters', node)
        writeSynced(masterHome, edited, [newContent(1)])
        await untilContent(join(home, edited), newContent(1))
        const after = await child.call('counters', node)
        editBytes = after.bytesSent - before.bytesSent + after.bytesReceived - before.bytesReceived
      },
    })
    const { peakMB: masterPeakMB } = await master.call('usage', { collect: false })
    const peaks = `peaks of resident memory: ${peakMB.toFixed(0)} MB on the worker, ${masterPeakMB.toFixed(0)} MB on the master`
    const note = `both ways, its 2 KB of content included; the last of ${count} files was in place after ${seconds.toFixed(0)} s, with ${cpuSeconds.toFixed(0)} s of processor time of the worker; ${peaks}; the trees are compared byte for byte`
    return [{ what: 'one edit, on the wire', measured: editBytes / 1000, unit: 'KB', ...atMost(20), note }]
  },
}
