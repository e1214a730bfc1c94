/** A worker's rounds of integrity with a master, honest or not, over a real session and disks in memory. */
import { expect } from 'vitest'
import { type IntegrityAnswersInput, integrityAnswers } from '../../../src/actors/files/integrityAnswers.js'
import { IntegritySync } from '../../../src/actors/files/integritySync.js'
import { LocalTree } from '../../../src/actors/files/localTree.js'
import { SyncReports } from '../../../src/actors/files/syncReports.js'
import { RunningAnswers } from '../../../src/actors/kit/runningAnswers.js'
import { ok } from '../../../src/base/errors.js'
import { limits } from '../../../src/base/limits.js'
import { WorkerState } from '../../../src/domain/cluster/workerState.js'
import type { Files } from '../../../src/ports/files.js'
import type { Handlers } from '../../../src/ports/link.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { createSimulatedFiles } from '../../../src/simulation/world/simulatedFiles.js'
import type { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { recordingLog } from '../recordingLog.js'
import { forever, outcome, recordingAcceptor, sessionPair, welcome } from '../sessionPair.js'
import { synced } from './treeArbitraries.js'

export const home = '/home'

export type Lie = (honest: Handlers, input: IntegrityAnswersInput) => Handlers

export interface Cheats {
  readonly capabilities?: string[]
  /** The worker's files, with something that happens in between. */
  readonly workerFiles?: (files: Files, disk: MemoryDisk) => Files
  readonly masterFiles?: (files: Files, disk: MemoryDisk) => Files
  readonly handlers?: Lie
}

const node = (clock: VirtualClock, role: 'master' | 'worker', cheat: Cheats['masterFiles']) => {
  const disk = new MemoryDisk({ now: () => clock.now() })
  for (const { dir } of synced.items) disk.makeDirectories(`${home}/${dir}`)
  const files = createSimulatedFiles(disk, clock, { home, synced, role, stageDir: `${home}/queue/cluster/w1` })
  return { disk, tree: new LocalTree(cheat?.(files, disk) ?? files, synced, clock) }
}

export const setUp = async ({ capabilities = ['delta'], handlers, masterFiles, workerFiles }: Cheats = {}) => {
  const pair = await sessionPair(
    {},
    {},
    recordingAcceptor(() => ok({ ...welcome, capabilities })),
  )
  const { clock } = pair
  const master = node(clock, 'master', masterFiles)
  const worker = node(clock, 'worker', workerFiles)
  const transfers = new RunningAnswers('transfers', limits.fetchesPerWorkerMax)
  const [state, log] = [new WorkerState(), recordingLog()]
  const reports = new SyncReports({ tree: master.tree, clock, state, log, onApplied: () => {} })
  const input = { link: pair.master, state, log, reports, transfers }
  const crash = (thrown: unknown): never => {
    throw thrown
  }
  const honest = integrityAnswers({ tree: master.tree, clock }, input, { signal: forever, crash })
  pair.master.serve(handlers?.(honest, input) ?? honest)
  const sync = new IntegritySync({ tree: worker.tree, clock, requestTimeoutMs: 20_000, compression: 'auto' })
  const done = async <T>(promise: Promise<T>): Promise<T> => {
    const { error, value } = await outcome(clock, promise, 300_000)
    if (value === undefined && error !== undefined) throw error
    return value as T
  }
  /** Brings the worker's tree up to the master's. Returns the bytes received, and how files failed. */
  const round = async (): Promise<{ received: number; failures: string[] }> => {
    await clock.advance(3_000)
    await done(Promise.all([master.tree.scan(undefined, forever), worker.tree.scan(undefined, forever)]))
    const before = pair.worker.counters.bytesReceived
    if (await done(sync.check(pair.worker, forever))) return { received: 0, failures: [] }
    const plan = await done(sync.plan(pair.worker, forever))
    const transferred = await done(sync.transfer(pair.worker, plan, forever))
    const { failures } = await done(sync.apply(plan, transferred, forever))
    const codes = failures.map(({ code }) => code)
    // A file that did not arrive in full may stay open, for the next transfer to go on.
    if (codes.length === 0) expect(worker.disk.openFiles).toBe(0)
    expect(master.disk.openFiles).toBe(0)
    return { received: pair.worker.counters.bytesReceived - before, failures: codes }
  }
  const stop = async (): Promise<void> => {
    pair.worker.close('stopping')
    await clock.advance(2_000)
    for (const { tree } of [master, worker]) await tree.files.close()
    expect(worker.disk.openFiles + master.disk.openFiles).toBe(0)
    expect(clock.pending).toBe(0)
  }
  return { clock, master: master.disk, pair, round, stop, worker: worker.disk }
}

export type World = Awaited<ReturnType<typeof setUp>>

export const leftInStage = (world: World): number => world.worker.readdir(`${home}/queue/cluster/w1`).length
