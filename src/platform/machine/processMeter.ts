/** What metrics say of this process; to be asked in the thread whose event loop is meant. */
import { readdir } from 'node:fs/promises'
import type { ProcessMeter } from '../../ports/machine.js'
import { descriptorLimit } from './descriptorLimit.js'

const startedMs = Date.now() - process.uptime() * 1_000

const openFiles = async (): Promise<number | undefined> => {
  try {
    return (await readdir('/proc/self/fd')).length
  } catch {
    return undefined
  }
}

/** From now to the next turn of the event loop: what a message that came now would wait. */
const eventLoopLagSeconds = async (): Promise<number> => {
  const start = process.hrtime.bigint()
  await new Promise((resolve) => setImmediate(resolve))
  return Number(process.hrtime.bigint() - start) / 1e9
}

export const processMeter: ProcessMeter = {
  read: async () => {
    const lag = await eventLoopLagSeconds()
    const { system, user } = process.cpuUsage()
    const { heapUsed, rss } = process.memoryUsage()
    return {
      nodeVersion: process.version,
      startedMs,
      userSeconds: user / 1e6,
      systemSeconds: system / 1e6,
      residentBytes: rss,
      heapUsedBytes: heapUsed,
      openFiles: await openFiles(),
      openFilesMax: descriptorLimit(),
      eventLoopLagSeconds: lag,
    }
  },
}
