/** A master that is killed and started again, again and again: how soon all of its workers are back. */
import type { Child } from '../child.js'
import type { NodeCalls, ObservedEvent, StartOptions } from '../children/node.js'
import { makeHome } from '../trees.js'
import { freePort, sleep, type Workshop } from '../workshop.js'

export interface RestartsOptions {
  readonly masterHome: string
  /** In one process. */
  readonly workers: number
  readonly files: StartOptions['files']
  readonly restarts: number
  /** Between the moment that all are in and the kill. */
  readonly calmMs: number
}

/** Fewer than may be in the handshake at a time from one address. */
const batch = 25

/** The moment at which all were in at once: one that left meanwhile must come once more. */
const allIn = async (master: Child<NodeCalls>, workers: number): Promise<ObservedEvent> => {
  for (let count = workers; ; ) {
    const last = (await master.call('happened', { type: 'workerJoined', count })).at(-1)
    const left = (await master.call('covered', { type: 'workerLeft', node: 'master', files: 0 })).length
    if (last && count >= workers + left) return last
    count = workers + left
  }
}

export interface Restart {
  /** From the moment that the master listens until all are in. */
  readonly seconds: number
  /** Processor time that the master used meanwhile, all threads. On a busy machine it says more than `seconds`. */
  readonly cpuSeconds: number
}

export const restartsOf = async (
  workshop: Workshop,
  { calmMs, files, masterHome, restarts, workers: count }: RestartsOptions,
): Promise<readonly Restart[]> => {
  const port = await freePort()
  const workers = workshop.childOfMany<NodeCalls>('node')
  const startMaster = async (): Promise<Child<NodeCalls>> => {
    const master = workshop.child<NodeCalls>('node')
    await master.call('start', { node: 'master', type: 'master', home: masterHome, port })
    return master
  }
  let master = await startMaster()
  for (let started = 0; started < count; ) {
    for (const end = Math.min(count, started + batch); started < end; started++) {
      const home = makeHome(workshop.place(`w${started}`))
      await workers.call('start', { node: `w${started}`, type: 'worker', home, port, ...(files && { files }) })
    }
    await allIn(master, started)
  }
  const measured: Restart[] = []
  for (let restart = 0; restart < restarts; restart++) {
    await sleep(calmMs)
    await master.kill()
    master = await startMaster()
    const [listening] = await master.call('happened', { type: 'listening', count: 1 })
    const last = await allIn(master, count)
    if (!listening) throw new Error('The master does not listen')
    measured.push({ seconds: (last.atMs - listening.atMs) / 1000, cpuSeconds: (last.cpuMs - listening.cpuMs) / 1000 })
  }
  return measured
}
