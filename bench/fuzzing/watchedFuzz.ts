/** Inputs are parsed in a thread, so that a parser that never ends can be ended, and its input named. */
import { Worker } from 'node:worker_threads'
import type { FuzzResult } from './fuzzParser.js'

export interface FuzzTask {
  /** Of the parser. */
  readonly name: string
  readonly inputs: number
  readonly seed: string
  /** An Int32: the input that is being parsed. */
  readonly begun: SharedArrayBuffer
}

/** The input that did not end. */
export interface EndlessInput {
  readonly endless: number
}

export interface FuzzWatch {
  /** What one input may take before it counts as endless; a busy machine stops anything for seconds. */
  readonly inputMsMax: number
  readonly checkMs: number
  onProgress(begun: number): void
}

export const startFuzz = (task: FuzzTask): Worker => new Worker(new URL('./fuzzWorker.js', import.meta.url), { workerData: task })

/** Fails when the thread dies. */
export const watchedFuzz = (worker: Worker, { begun }: Pick<FuzzTask, 'begun'>, watch: FuzzWatch): Promise<FuzzResult | EndlessInput> => {
  const counter = new Int32Array(begun)
  return new Promise((resolve, reject) => {
    let last = -1
    let sameMs = 0
    const timer = setInterval(() => {
      const index = Atomics.load(counter, 0)
      sameMs = index === last ? sameMs + watch.checkMs : 0
      last = index
      if (sameMs < watch.inputMsMax) {
        watch.onProgress(index)
        return
      }
      clearInterval(timer)
      void worker.terminate().then(() => resolve({ endless: index }))
    }, watch.checkMs)
    const end = (): void => clearInterval(timer)
    worker.once('message', (result: FuzzResult) => {
      end()
      resolve(result)
    })
    worker.once('error', (thrown) => {
      end()
      reject(thrown)
    })
  })
}
