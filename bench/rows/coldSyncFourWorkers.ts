/** Four empty workers, each in its own process, get the tree at the same time. */
import { syncTenThousand, syncTenThousandToOne } from '../measures/tenThousandFiles.js'
import type { Row } from '../row.js'

export const coldSyncFourWorkers: Row = {
  name: 'the same cold sync, four workers at once',
  target: '≤ 3 × one worker',
  run: async (workshop) => {
    const one = await syncTenThousandToOne(workshop)
    const measured = await syncTenThousand(workshop, 4)
    return [{ what: '', measured, unit: 's', beside: { peer: 'one worker', value: one }, target: { bound: 'atMost', factor: 3 } }]
  },
}
