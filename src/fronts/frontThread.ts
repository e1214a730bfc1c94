/**
 * A front of the node (its listener, its enrolment service) in a thread of its own: its event loop and its heap are its own, so that
 * neither a burst of its work nor its end is felt by the cluster. The node's side; the thread's is runFront.
 */
import { Worker } from 'node:worker_threads'
import { pause } from '../actors/kit/pause.js'
import { asClusterError, ClusterError } from '../base/errors.js'
import { limits } from '../base/limits.js'
import { realClock } from '../platform/machine/realClock.js'
import { type Calls, exchangeCalls, type Methods } from './threadCalls.js'

export interface FrontThreadOptions<Theirs extends Methods<Theirs>, Own> {
  /** What the thread is, as the beginning of a sentence. */
  readonly name: string
  /** The compiled program. */
  readonly workerFile: URL
  /** Plain data that the program finds in its workerData. */
  readonly options: object
  /** What the thread may call here. */
  readonly desk: Own
  readonly heapMbMax: number
  /** Before its `start`. */
  prepare?(front: Pick<Calls<Theirs>, 'call'>): Promise<void>
}

/** What every front can. */
export interface Front {
  /** Resolves with its port. */
  start(): Promise<number>
  stop(): Promise<void>
}

export interface FrontThread<Theirs extends Methods<Theirs>> {
  readonly port: number
  readonly call: Calls<Theirs>['call']
  /** Resolves when it has died. */
  readonly died: Promise<ClusterError>
  /** Lets it end its work, but not for longer than limits.frontStopMsMax; then ends it. */
  stop(): Promise<void>
}

/** Fails with what the front's `start` refused with, or with why the thread died. */
export const startFrontThread = async <Theirs extends Methods<Theirs> & Front, Own extends Methods<Own>>({
  desk,
  heapMbMax,
  name,
  options,
  prepare,
  workerFile,
}: FrontThreadOptions<Theirs, Own>): Promise<FrontThread<Theirs>> => {
  const worker = new Worker(workerFile, { workerData: options, resourceLimits: { maxOldGenerationSizeMb: heapMbMax } })
  const calls = exchangeCalls<Theirs>(worker)
  calls.serve(desk)
  const died = new Promise<ClusterError>((resolve) => {
    const end = (error: ClusterError): void => {
      calls.close(error)
      resolve(error)
    }
    worker.once('error', (thrown) => end(deathOf(name, thrown)))
    worker.once('exit', (code) => end(new ClusterError('threadCrashed', { message: `${name} ended by itself (code ${code})` })))
  })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  // Ends the thread in the middle of anything: what it took was written in the turn in which it took it.
  const terminate = async (): Promise<void> => {
    calls.close(new ClusterError('aborted', { message: `${name} is stopped` }))
    await worker.terminate()
    await ended
  }
  try {
    await prepare?.(calls)
    const port = await startOf(calls)
    return {
      port,
      call: (called, ...given) => calls.call(called, ...given),
      died,
      stop: async () => {
        const late = new AbortController()
        await Promise.race([stopOf(calls), ended, pause(realClock, limits.frontStopMsMax, late.signal)]).catch(() => undefined)
        late.abort()
        await terminate()
      },
    }
  } catch (thrown) {
    await terminate()
    throw thrown
  }
}

// Every front has these two, but a call of a type that is not known yet cannot show it.
const startOf = <T extends Methods<T> & Front>(calls: Calls<T>): Promise<number> => (calls as unknown as Calls<Front>).call('start')
const stopOf = <T extends Methods<T> & Front>(calls: Calls<T>): Promise<void> => (calls as unknown as Calls<Front>).call('stop')

const deathOf = (name: string, thrown: unknown): ClusterError => {
  const isOutOfMemory = thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_WORKER_OUT_OF_MEMORY'
  return new ClusterError('threadCrashed', {
    message: isOutOfMemory
      ? `${name} needed more memory than it may have`
      : `${name} died: ${asClusterError(thrown, 'threadCrashed').message}`,
    cause: thrown,
  })
}
