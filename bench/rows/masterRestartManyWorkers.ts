/** A master that is killed and restarted: how soon hundreds of workers are back. */
import { restartsOf } from '../measures/restarts.js'
import { atMost, type Row } from '../row.js'
import { median } from '../statistics.js'
import { fillHome } from '../trees.js'

const workerCount = 500
const restarts = 3

export const masterRestartManyWorkers: Row = {
  name: 'master kill -9 and restart, 500 workers (slow)',
  target: 'all back ≤ 2 s after it listens',
  isSlow: true,
  run: async (workshop) => {
    const masterHome = workshop.place('restarted-master')
    fillHome(masterHome, { count: 50, bytes: 50_000 })
    const workers = workshop.scaled(workerCount)
    const measured = await restartsOf(workshop, { masterHome, workers, files: 'memory', restarts, calmMs: 6_000 })
    const seconds = measured.map((restart) => restart.seconds)
    const cpuSeconds = median(measured.map((restart) => restart.cpuSeconds))
    return [
      {
        what: '',
        measured: median(seconds),
        unit: 's',
        ...atMost(2),
        note: `median of ${restarts} restarts (${seconds.map((each) => each.toFixed(2)).join(', ')} s), each at once after the kill; default intervals; ${cpuSeconds.toFixed(2)} s of CPU of the master; the ${workers} workers are in one process and share one core`,
      },
    ]
  },
}
