/** Empty workers that connect to a master with a tree: how long until each has it. */
import { rmSync } from 'node:fs'
import type { Child } from '../child.js'
import type { NodeCalls } from '../children/node.js'
import { assertSameFiles, makeHome } from '../trees.js'
import type { Workshop } from '../workshop.js'

/** A master whose tree is known when this resolves. */
export const startMaster = async (
  workshop: Workshop,
  home: string,
): Promise<{ readonly master: Child<NodeCalls>; readonly port: number }> => {
  const master = workshop.child<NodeCalls>('node')
  const port = await master.call('start', { node: 'master', type: 'master', home, port: 0 })
  await master.call('happened', { type: 'scanned', count: 1 })
  return { master, port }
}

export interface ColdSyncInput {
  readonly port: number
  readonly masterHome: string
  readonly workers: number
  /** What is done with each worker once it has the tree, before it ends. */
  readonly afterwards?: (worker: { readonly child: Child<NodeCalls>; readonly home: string; readonly node: string }) => Promise<void>
}

export interface ColdSync {
  /** From the first dial until the last worker has applied the last file. */
  readonly seconds: number
  /** The most that a worker's memory rose over what it was before it dialled. */
  readonly memoryMB: number
  /** The most resident memory that a worker had. */
  readonly peakMB: number
  /** Of a worker's event loop. */
  readonly longestBlockMs: number
  /** Processor time that the workers used, all threads, from the dial on. On a busy machine it says more than `seconds`. */
  readonly cpuSeconds: number
}

const idleMs = 300

export const coldSyncOf = async (workshop: Workshop, { afterwards, masterHome, port, workers }: ColdSyncInput): Promise<ColdSync> => {
  const started = await Promise.all(
    Array.from({ length: workers }, async (_, index) => {
      const node = `w${index}`
      const home = makeHome(workshop.place(`worker${index}`))
      const child = workshop.child<NodeCalls>('node')
      await child.call('start', { node, type: 'worker', home, port, gated: true })
      await child.call('happened', { type: 'scanned', count: 1 })
      await new Promise((resolve) => setTimeout(resolve, idleMs))
      const idle = await child.call('usage', { collect: false })
      return { home, node, child, idle }
    }),
  )
  const outcomes = await Promise.all(
    started.map(async ({ child, idle }) => {
      await child.call('watchLoop', undefined)
      const startMs = await child.call('openGate', undefined)
      const [applied] = await child.call('happened', { type: 'applied', count: 1 })
      if (!applied || applied.failures > 0) throw new Error('Files of the cold sync failed')
      const longestBlockMs = await child.call('longestBlockMs', undefined)
      const { peakMB } = await child.call('usage', { collect: false })
      const [memoryMB, cpuMs] = [peakMB - idle.rssMB, applied.cpuMs - idle.cpuMs]
      return { startMs, endMs: applied.atMs, longestBlockMs, peakMB, memoryMB, cpuMs }
    }),
  )
  for (const { child, home, node } of started) {
    await afterwards?.({ child, home, node })
    await child.end()
    assertSameFiles(masterHome, home)
    rmSync(home, { recursive: true })
  }
  const startMs = Math.min(...outcomes.map((outcome) => outcome.startMs))
  const endMs = Math.max(...outcomes.map((outcome) => outcome.endMs))
  return {
    seconds: (endMs - startMs) / 1000,
    memoryMB: Math.max(...outcomes.map((outcome) => outcome.memoryMB)),
    peakMB: Math.max(...outcomes.map((outcome) => outcome.peakMB)),
    longestBlockMs: Math.max(...outcomes.map((outcome) => outcome.longestBlockMs)),
    cpuSeconds: outcomes.reduce((sum, outcome) => sum + outcome.cpuMs, 0) / 1000,
  }
}
