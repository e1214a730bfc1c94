/** What `--growth` measures: one size after the other, each from nothing. */
import type { NodeCalls } from '../children/node.js'
import { startAgentCluster } from '../measures/agentCluster.js'
import { agentInfoRound, firstRoundOver, onlyForUpdates } from '../measures/agentInfo.js'
import { coldSyncOf, startMaster } from '../measures/coldSync.js'
import type { Unit } from '../row.js'
import { fillHome, makeHome } from '../trees.js'
import type { Workshop } from '../workshop.js'

export const curveNames = ['workers', 'files', 'agents'] as const
export type CurveName = (typeof curveNames)[number]

export interface Cost {
  readonly what: string
  readonly cost: number
  readonly unit: Unit
}

export interface Curve {
  readonly title: string
  readonly counts: readonly number[]
  readonly measure: (workshop: Workshop, count: number) => Promise<readonly Cost[]>
}

const fileBytes = 1_000
/** Fewer than one address may have in the handshake at a time. */
const batch = 25

export const curves: Readonly<Record<CurveName, Curve>> = {
  workers: {
    title: 'workers of one process connect at the same moment, with empty trees',
    counts: [1, 5, 20, 100, 500],
    measure: async (workshop, count) => {
      const home = makeHome(workshop.place('master'))
      const { master, port } = await startMaster(workshop, home)
      const workers = workshop.child<NodeCalls>('node')
      for (let started = 0; started < count; started += batch)
        await Promise.all(
          Array.from({ length: Math.min(batch, count - started) }, (_, index) =>
            workers.call('start', { node: `w${started + index}`, type: 'worker', home, port, files: 'none', gated: true }),
          ),
        )
      const before = await master.call('usage', { collect: false })
      const startMs = await workers.call('openGate', undefined)
      const joined = (await master.call('happened', { type: 'workerJoined', count })).at(-1)
      if (!joined) throw new Error('No worker joined')
      return [
        { what: 'until the last one is in', cost: (joined.atMs - startMs) / 1000, unit: 's' },
        { what: 'CPU of the master', cost: (joined.cpuMs - before.cpuMs) / 1000, unit: 's' },
      ]
    },
  },
  files: {
    title: `files of ${fileBytes / 1000} KB on average, cold sync to one worker`,
    counts: [1_000, 10_000, 50_000, 100_000, 500_000],
    measure: async (workshop, count) => {
      const masterHome = workshop.place('master')
      fillHome(masterHome, { count, bytes: count * fileBytes })
      const { port } = await startMaster(workshop, masterHome)
      const { cpuSeconds, memoryMB, seconds } = await coldSyncOf(workshop, { port, masterHome, workers: 1 })
      return [
        { what: 'until the last file', cost: seconds, unit: 's' },
        { what: 'CPU of the worker', cost: cpuSeconds, unit: 's' },
        { what: 'memory of the worker', cost: memoryMB, unit: 'MB' },
      ]
    },
  },
  agents: {
    title: "agents, their first whole rows from a worker's table to the master's",
    counts: [10_000, 50_000, 100_000, 500_000, 1_000_000],
    measure: async (workshop, count) => {
      const { master, workers } = await startAgentCluster(workshop, { agents: count, workers: 1, timings: onlyForUpdates })
      const [worker] = workers
      if (!worker) throw new Error('There is no worker')
      await firstRoundOver(worker)
      const { cpuSeconds, seconds, wireMB } = await agentInfoRound(master, worker, 'first', count)
      return [
        { what: 'until the last row', cost: seconds, unit: 's' },
        { what: 'CPU of both', cost: cpuSeconds, unit: 's' },
        { what: 'on the wire', cost: wireMB, unit: 'MB' },
      ]
    },
  },
}
