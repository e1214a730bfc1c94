/** Many workers that are connected and have nothing to do: what each costs its master. */
import type { NodeCalls } from '../children/node.js'
import { atMost, type Row } from '../row.js'
import { makeHome } from '../trees.js'
import { sleep } from '../workshop.js'

const workerCount = 200
/** Connected before the first measurement, so that code and caches that are needed once are not counted as a worker's. */
const warmUpWorkers = 10
/** Fewer than one address may have in the handshake at a time. */
const batch = 25
const calmMs = 1_500
const measuredMs = 20_000

export const idleWorkers: Row = {
  name: '200 connected idle workers',
  target: '≤ 250 KB of master memory each, ≤ 1 % CPU in all',
  run: async (workshop) => {
    const home = makeHome(workshop.place('idle-master'))
    const master = workshop.child<NodeCalls>('node', ['--expose-gc'])
    const workers = workshop.child<NodeCalls>('node')
    const port = await master.call('start', { node: 'master', type: 'master', home, port: 0 })
    let started = 0
    const connect = async (count: number): Promise<void> => {
      for (const end = started + count; started < end; ) {
        for (let index = 0; index < batch && started < end; index++, started++)
          await workers.call('start', { node: `w${started}`, type: 'worker', home, port, files: 'none' })
        await master.call('happened', { type: 'workerJoined', count: started })
      }
      await sleep(calmMs)
    }
    await connect(warmUpWorkers)
    const before = await master.call('usage', { collect: true })
    await connect(workerCount)
    const after = await master.call('usage', { collect: true })
    await sleep(measuredMs)
    const later = await master.call('usage', { collect: false })
    const eachKB = (megabytes: number): number => (megabytes * 1000) / workerCount
    const heapKB = eachKB(after.heapMB + after.externalMB - before.heapMB - before.externalMB)
    const residentKB = eachKB(after.rssMB - before.rssMB)
    return [
      {
        what: 'memory each',
        measured: Math.max(heapKB, residentKB),
        unit: 'KB',
        ...atMost(250),
        note: `the larger of heap and external (${heapKB.toFixed(0)} KB) and resident memory (${residentKB.toFixed(0)} KB), after a collection`,
      },
      {
        what: 'CPU',
        measured: ((later.cpuMs - after.cpuMs) / (later.atMs - after.atMs)) * 100,
        unit: '%',
        ...atMost(1),
        note: `of one core, over ${measuredMs / 1000} s with the default intervals; the workers are in one other process, with trees of their own in memory`,
      },
    ]
  },
}
