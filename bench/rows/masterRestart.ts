/** A master that is killed and restarted: how soon its workers are back. */
import { restartsOf } from '../measures/restarts.js'
import { atMost, type Row } from '../row.js'
import { fillHome } from '../trees.js'

const workers = 10
const restarts = 4

export const masterRestart: Row = {
  name: 'master kill -9 and restart, 10 workers',
  target: 'all back ≤ 1.5 s after it listens',
  run: async (workshop) => {
    const masterHome = workshop.place('restarted-master')
    fillHome(masterHome, { count: 50, bytes: 50_000 })
    const measured = await restartsOf(workshop, { masterHome, workers, files: 'real', restarts, calmMs: 1_000 })
    const seconds = measured.map((restart) => restart.seconds)
    return [
      {
        what: '',
        measured: Math.max(...seconds),
        unit: 's',
        ...atMost(1.5),
        note: `the slowest of ${restarts} restarts, each at once after the kill (${seconds.map((each) => each.toFixed(2)).join(', ')} s); default intervals; the workers are in one process`,
      },
    ]
  },
}
