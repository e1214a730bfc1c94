/** A master and a worker that have the same 50 000 files, for the rows about a large tree that hardly changes. */
import { cpSync } from 'node:fs'
import type { Timings } from '../../src/domain/cluster/timings.js'
import type { Child } from '../child.js'
import type { NodeCalls } from '../children/node.js'
import { fillHome } from '../trees.js'
import { sleep, type Workshop } from '../workshop.js'

export const fileCount = 50_000

export interface Homes {
  readonly master: string
  readonly worker: string
  readonly paths: readonly string[]
}

let made: Homes | undefined

/** Both with the same files, of 1 KB on average. */
export const makeHomes = (workshop: Workshop, count: number): Homes => {
  const master = workshop.place('large-tree-master')
  const worker = workshop.place('large-tree-worker')
  const paths = fillHome(master, { count, bytes: count * 1_000 })
  cpSync(master, worker, { recursive: true })
  return { master, worker, paths }
}

export const fiftyThousandFiles = (workshop: Workshop): Homes => {
  made ??= makeHomes(workshop, fileCount)
  return made
}

export interface Pair {
  readonly homes: Homes
  readonly master: Child<NodeCalls>
  readonly worker: Child<NodeCalls>
}

/** The first check is over by then, also with a busy processor. */
const settleMs = 1_500

/** Both know their trees and are connected; they have agreed that the trees are the same. */
export const startPair = async (
  workshop: Workshop,
  timings: Partial<Timings> = {},
  homes = fiftyThousandFiles(workshop),
): Promise<Pair> => {
  const master = workshop.child<NodeCalls>('node')
  const port = await master.call('start', { node: 'master', type: 'master', home: homes.master, port: 0, timings })
  const worker = workshop.child<NodeCalls>('node')
  await worker.call('start', { node: 'w1', type: 'worker', home: homes.worker, port, timings })
  for (const child of [master, worker]) await child.call('happened', { type: 'scanned', count: 1 })
  await worker.call('happened', { type: 'connected', count: 1 })
  await sleep(settleMs)
  return { homes, master, worker }
}
