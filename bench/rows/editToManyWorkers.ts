/** One edit on a master with hundreds of workers: how soon they have it, and what each costs the master. */
import type { NodeCalls } from '../children/node.js'
import { atMost, type Row } from '../row.js'
import { median, percentile } from '../statistics.js'
import { systemMs } from '../systemClock.js'
import { fillHome, writeSynced } from '../trees.js'
import { sleep, type Workshop } from '../workshop.js'

const workerCount = 500
const batch = 50
const fileCount = 200
const editCount = 5
const contentBytes = 200
/** First checks, reports and the state of the groups are over. */
const calmMs = 5_000
const settleMs = 2_000

/** A master, and workers in one other process, in memory: all have the same files. */
const startMany = async (workshop: Workshop) => {
  const home = workshop.place('edited-master')
  const paths = fillHome(home, { count: fileCount, bytes: 50_000 })
  const master = workshop.child<NodeCalls>('node')
  const workers = workshop.childOfMany<NodeCalls>('node')
  const port = await master.call('start', { node: 'master', type: 'master', home, port: 0 })
  await master.call('happened', { type: 'scanned', count: 1 })
  for (let started = 0; started < workerCount; started += batch) {
    for (let index = started; index < started + batch; index++)
      await workers.call('start', { node: `w${index}`, type: 'worker', home, port, files: 'memory' })
    await master.call('happened', { type: 'workerJoined', count: started + batch })
  }
  await workers.call('happened', { type: 'applied', count: workerCount })
  await sleep(calmMs)
  return { home, paths, master, workers }
}

const bytesOf = async (workers: Awaited<ReturnType<typeof startMany>>['workers']) => {
  const { bytesReceived, bytesSent } = await workers.call('allCounters', undefined)
  return bytesReceived + bytesSent
}

export const editToManyWorkers: Row = {
  name: `one edit, master to ${workerCount} workers`,
  target: 'p95 ≤ 300 ms, ≤ 1 KB besides the content and ≤ 0.15 ms of master CPU each',
  run: async (workshop) => {
    const { home, master, paths, workers } = await startMany(workshop)
    const took: number[] = []
    const bytes: number[] = []
    const cpuMs: number[] = []
    for (let edit = 0; edit < editCount; edit++) {
      // Other activity is measured just before, and subtracted.
      const idle = await master.call('usage', { collect: false })
      const idleBytes = await bytesOf(workers)
      await sleep(settleMs)
      const before = await master.call('usage', { collect: false })
      const bytesBefore = await bytesOf(workers)
      await workers.call('forget', undefined)
      writeSynced(home, paths[edit] ?? '', [Buffer.alloc(contentBytes, `${edit}`)])
      const startMs = systemMs()
      const applied = await workers.call('happened', { type: 'applied', count: workerCount })
      for (const { atMs } of applied) took.push(atMs - startMs)
      await sleep(settleMs - (systemMs() - startMs))
      const after = await master.call('usage', { collect: false })
      const share = (after.atMs - before.atMs) / (before.atMs - idle.atMs)
      cpuMs.push((after.cpuMs - before.cpuMs - (before.cpuMs - idle.cpuMs) * share) / workerCount)
      bytes.push(((await bytesOf(workers)) - bytesBefore - (bytesBefore - idleBytes) * share) / workerCount - contentBytes)
    }
    return [
      {
        what: 'p95',
        measured: percentile(took, 0.95),
        unit: 'ms',
        ...atMost(300),
        note: `p50 ${median(took).toFixed(0)} ms of ${editCount} edits; all workers are in one process and share one core`,
      },
      { what: 'on the wire each, besides the content', measured: median(bytes) / 1000, unit: 'KB', ...atMost(1) },
      { what: 'master CPU each', measured: median(cpuMs), unit: 'ms', ...atMost(0.15) },
    ]
  },
}
