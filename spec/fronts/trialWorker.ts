/** A front that does nothing but what the spec of front threads asks of it. */
import { writeFileSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import { ClusterError } from '../../src/base/errors.js'
import { runFront } from '../../src/fronts/runFront.js'

export interface TrialDesk {
  add(a: number, b: number): Promise<number>
}

export interface TrialCalls {
  start(): Promise<number>
  stop(): Promise<void>
  /** Asks the desk. */
  added(a: number, b: number): Promise<number>
  refuse(): Promise<void>
  /** Never answers. */
  wait(): Promise<void>
  /** An error that nobody catches, in the next turn. */
  crash(): Promise<void>
  /** Takes memory until there is no more. */
  hoard(): Promise<void>
}

export interface TrialOptions {
  readonly port: number
  /** Written by the last act. */
  readonly mark: string
  readonly hangsAtStop?: boolean
}

runFront<TrialDesk, TrialCalls>((desk) => {
  const { hangsAtStop, mark, port } = workerData as TrialOptions
  return {
    calls: {
      start: async () => {
        if (port === 0) throw new ClusterError('listenFailed', { message: 'Cannot listen on port 0' })
        return port
      },
      stop: () => (hangsAtStop ? new Promise(() => undefined) : Promise.resolve()),
      added: (a, b) => desk.call('add', a, b),
      refuse: () => Promise.reject(new ClusterError('diskFull', { message: 'No room for the trial' })),
      wait: () => new Promise(() => undefined),
      crash: async () => {
        setImmediate(() => {
          throw new Error('a bug in the trial')
        })
      },
      hoard: async () => {
        const kept: number[][] = []
        for (;;) kept.push(Array.from({ length: 100_000 }, (_, at) => at + kept.length))
      },
    },
    lastAct: () => writeFileSync(mark, 'written'),
  }
})
