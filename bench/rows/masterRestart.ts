/** A master that is killed and restarted: how soon its workers are back. */
import type { NodeCalls } from '../children/node.js'
import { atMost, type Row } from '../row.js'
import { fillHome, makeHome } from '../trees.js'
import { freePort, sleep } from '../workshop.js'

const workerCount = 10
const restarts = 4
const calmMs = 1_000

export const masterRestart: Row = {
  name: 'master kill -9 and restart, 10 workers',
  target: 'all back ≤ 1.5 s after it listens',
  run: async (workshop) => {
    const port = await freePort()
    const home = workshop.place('restarted-master')
    fillHome(home, { count: 50, bytes: 50_000 })
    const workers = workshop.child<NodeCalls>('node')
    for (let index = 0; index < workerCount; index++)
      await workers.call('start', { node: `w${index}`, type: 'worker', home: makeHome(workshop.place(`w${index}`)), port })
    const seconds: number[] = []
    for (let restart = 0; restart <= restarts; restart++) {
      const master = workshop.child<NodeCalls>('node')
      await master.call('start', { node: 'master', type: 'master', home, port })
      const [listening] = await master.call('happened', { type: 'listening', count: 1 })
      const joined = await master.call('happened', { type: 'workerJoined', count: workerCount })
      const last = joined.at(-1)
      // The first start is not a restart.
      if (listening && last && restart > 0) seconds.push((last.atMs - listening.atMs) / 1000)
      await sleep(calmMs)
      await master.kill()
    }
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
