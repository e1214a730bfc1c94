/** One large file that cannot be compressed: speed, and memory that does not grow with it. */
import { randomFillSync } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type ColdSync, coldSyncOf, startMaster } from '../measures/coldSync.js'
import { atMost, type Row } from '../row.js'
import { rsyncSeconds, startRsyncDaemon } from '../rsync.js'
import { median } from '../statistics.js'
import { makeHome, writeSynced } from '../trees.js'
import type { Workshop } from '../workshop.js'

const fileBytes = 2 ** 30
const partBytes = 2 ** 26
const runs = 2

const homeWithBigFile = (workshop: Workshop): string => {
  const home = makeHome(workshop.place('big-file'))
  const parts = Array.from({ length: fileBytes / partBytes }, () => randomFillSync(Buffer.allocUnsafe(partBytes)))
  writeSynced(home, 'etc/lists/big.cdb', parts)
  return home
}

export const coldSyncBigFile: Row = {
  name: 'cold sync of one incompressible 1 GB file',
  target: '≤ 1.5 × rsync -a; memory +100 MB',
  run: async (workshop) => {
    const masterHome = homeWithBigFile(workshop)
    const daemon = await startRsyncDaemon(workshop, masterHome)
    const { master, port } = await startMaster(workshop, masterHome)
    const rsync: number[] = []
    const syncs: ColdSync[] = []
    for (let run = 0; run < runs; run++) {
      const to = workshop.place('rsync')
      rsync.push(await rsyncSeconds(daemon, to))
      rmSync(to, { recursive: true })
      syncs.push(await coldSyncOf(workshop, { port, masterHome, workers: 1 }))
    }
    await master.end()
    rmSync(masterHome, { recursive: true })
    const seconds = median(syncs.map((sync) => sync.seconds))
    return [
      {
        what: 'time',
        measured: seconds,
        unit: 's',
        beside: { peer: 'rsync -a', value: median(rsync) },
        target: { bound: 'atMost', factor: 1.5 },
        note: `${Math.round(fileBytes / 1e6 / seconds)} MB/s, digest verified; the better of ${runs} runs of each; ${syncs.map((sync) => sync.cpuSeconds.toFixed(1)).join(' and ')} s of the worker's CPU`,
      },
      {
        what: "the worker's peak over idle",
        measured: Math.max(...syncs.map((sync) => sync.memoryMB)),
        unit: 'MB',
        ...atMost(100),
        note: 'VmHWM after the sync minus VmRSS before the dial',
      },
    ]
  },
}
