/** An empty worker gets a tree of many small files. */
import { rmSync } from 'node:fs'
import { syncTenThousand, tenThousandFiles } from '../measures/tenThousandFiles.js'
import type { Row } from '../row.js'
import { rsyncSeconds, startRsyncDaemon } from '../rsync.js'
import { median } from '../statistics.js'

export const coldSync: Row = {
  name: 'cold sync, 10 000 files, 61 MB, one worker',
  target: '≤ 1.7 × rsync -a through its daemon',
  run: async (workshop) => {
    const daemon = await startRsyncDaemon(workshop, tenThousandFiles(workshop))
    const rsync: number[] = []
    const measured = await syncTenThousand(workshop, 1, async () => {
      const to = workshop.place('rsync')
      rsync.push(await rsyncSeconds(daemon, to))
      rmSync(to, { recursive: true })
    })
    return [
      {
        what: '',
        measured,
        unit: 's',
        beside: { peer: 'rsync -a', value: median(rsync) },
        target: { bound: 'atMost', factor: 1.7 },
        note: 'medians of 3 runs, from the dial of a running worker until the last file is in place; the trees are compared byte for byte',
      },
    ]
  },
}
