/** What work costs processes of nodes. */
import type { Child } from '../child.js'
import type { NodeCalls } from '../children/node.js'
import { sleep } from '../workshop.js'

const idleMs = 4_000

/**
 * Processor time of each process during the work, all threads, less what it uses in the same time when there is nothing to do.
 *
 * @returns milliseconds, in the order of `children`
 */
export const processorMsOf = async (children: readonly Child<NodeCalls>[], work: () => Promise<void>): Promise<readonly number[]> => {
  const usages = () => Promise.all(children.map((child) => child.call('usage', { collect: false })))
  const idle = await usages()
  await sleep(idleMs)
  const before = await usages()
  await work()
  const after = await usages()
  return after.map((end, index) => {
    const [start, first] = [before[index] ?? end, idle[index] ?? end]
    const share = (end.atMs - start.atMs) / (start.atMs - first.atMs)
    return end.cpuMs - start.cpuMs - (start.cpuMs - first.cpuMs) * share
  })
}
