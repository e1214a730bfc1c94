/** The cold sync of 10 000 files to one worker: measured once, for its own row, and as the comparison of the row with four workers. */

import { median } from '../statistics.js'
import { fillHome } from '../trees.js'
import type { Workshop } from '../workshop.js'
import { type ColdSync, coldSyncOf, startMaster } from './coldSync.js'

let home: string | undefined
let oneWorkerSeconds: number | undefined

export const tenThousandFiles = (workshop: Workshop): string => {
  if (home === undefined) {
    home = workshop.place('ten-thousand')
    fillHome(home, { count: 10_000, bytes: 61e6 })
  }
  return home
}

const runs = 3

/** @param beforeEach something to measure in turns with the syncs */
export const syncTenThousand = async (
  workshop: Workshop,
  workers: number,
  beforeEach: (run: number) => Promise<void> = () => Promise.resolve(),
): Promise<number> => {
  const masterHome = tenThousandFiles(workshop)
  const { master, port } = await startMaster(workshop, masterHome)
  const syncs: ColdSync[] = []
  for (let run = 0; run < runs; run++) {
    await beforeEach(run)
    syncs.push(await coldSyncOf(workshop, { port, masterHome, workers }))
  }
  await master.end()
  const seconds = median(syncs.map((sync) => sync.seconds))
  if (workers === 1) oneWorkerSeconds = seconds
  return seconds
}

export const syncTenThousandToOne = async (workshop: Workshop): Promise<number> => oneWorkerSeconds ?? syncTenThousand(workshop, 1)
