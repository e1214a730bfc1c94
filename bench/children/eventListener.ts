/** A process that has a listener of agents and nothing else. */
import { readFileSync } from 'node:fs'
import type { RunningListener } from '../../src/ports/listener.js'
import { answerParent } from '../answerParent.js'
import { type ListenOptions, startBenchListener } from '../benchListener.js'
import { systemMs } from '../systemClock.js'

let running: RunningListener | undefined

const calls = {
  /** Resolves with the port. */
  listen: async (options: ListenOptions) => {
    running = await startBenchListener(options)
    return running.port
  },

  counts: (_: undefined) => {
    if (!running) throw new Error('Nothing listens')
    return running.counts()
  },

  /** Datagrams that the kernel had no room for, at the socket of this port. */
  kernelDrops: (port: number) => {
    const place = `:${port.toString(16).toUpperCase().padStart(4, '0')} `
    const rows = readFileSync('/proc/net/udp', 'utf8')
      .split('\n')
      .filter((row) => row.slice(0, 25).includes(place))
    return rows.reduce((sum, row) => sum + Number(row.trim().split(/\s+/).at(-1)), 0)
  },

  /** Processor time of all threads. */
  usage: (_: undefined) => {
    const { system, user } = process.cpuUsage()
    return { atMs: systemMs(), cpuMs: (system + user) / 1_000 }
  },
}

export type EventListenerCalls = typeof calls

answerParent(calls)
