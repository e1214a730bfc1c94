/** One dedicated thread that keeps a tree's state from task to task. Tasks run in the order in which they were given. */
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { AppliedPlan, ContentRequest, Digest, ScanPage, StageOutcome } from '../domain/tree.js'
import { asClusterError, ClusterError, isErrorCode } from '../errors.js'
import type { Plan } from '../tree/planApplier.js'
import type { CreateTreeOptions } from '../tree/tree.js'
import type { ArrivedBlock, ReadAnswer, ThreadRefusal } from './diskWorker.js'

/** What a disk thread does, by the names that diskWorker exports. */
export interface DiskTasks {
  scan: { readonly task: readonly string[] | undefined; readonly answer: ScanPage }
  nextPage: { readonly task: undefined; readonly answer: ScanPage }
  apply: { readonly task: Plan; readonly answer: AppliedPlan }
  read: { readonly task: { readonly request: ContentRequest; readonly firstFile: number }; readonly answer: readonly ReadAnswer[] }
  staged: { readonly task: readonly Digest[]; readonly answer: readonly number[] }
  stage: { readonly task: readonly ArrivedBlock[]; readonly answer: readonly (StageOutcome | ThreadRefusal)[] }
  clearStage: { readonly task: undefined; readonly answer: null }
}

export const defaultWorkerFile = new URL('./diskWorker.js', import.meta.url)

export class DiskThread {
  readonly #pool: Piscina
  /** The task before the next one: piscina's own queue does not keep the order of tasks when its thread is busy. */
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false
  /** A thread that died took with it what it knew; another in its place would report only a part of what is gone. */
  #death: ClusterError | undefined

  constructor(options: CreateTreeOptions, workerFile: URL) {
    this.#pool = new Piscina({
      filename: fileURLToPath(workerFile),
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      workerData: options,
    })
    this.#pool.on('error', (thrown: unknown) => this.#die(thrown))
    for (const worker of this.#pool.threads) worker.once('error', (thrown) => this.#die(thrown))
  }

  async run<K extends keyof DiskTasks>(
    name: K,
    task: DiskTasks[K]['task'],
    transferList: ArrayBuffer[] = [],
  ): Promise<DiskTasks[K]['answer']> {
    if (this.#isClosed) throw new ClusterError('aborted', { message: 'The files are closed' })
    if (this.#death) throw this.#death
    let answer: DiskTasks[K]['answer'] | ThreadRefusal
    try {
      answer = await this.#inTurn(() => this.#pool.run(task, { name, transferList }))
    } catch (thrown) {
      if (this.#isClosed) throw new ClusterError('aborted', { message: 'The files are closed', cause: thrown })
      throw asClusterError(thrown, isSystemError(thrown) ? 'fileFailed' : 'internal')
    }
    if (!isRefusal(answer)) return answer
    throw refusalIn(answer)
  }

  /** Ends the thread, in the middle of a task too: the tree's code leaves nothing behind that the next start cannot mend. */
  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    await this.#pool.destroy()
  }

  #inTurn<T>(start: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(start)
    this.#turn = mine.catch(() => undefined)
    return mine
  }

  #die(thrown: unknown): void {
    if (!this.#isClosed) this.#death ??= asClusterError(thrown, 'threadCrashed')
  }
}

/** The error that a thread refused with. */
export const refusalIn = ({ refused: { code, message } }: ThreadRefusal): ClusterError =>
  new ClusterError(isErrorCode(code) ? code : 'internal', { message })

const isRefusal = (answer: unknown): answer is ThreadRefusal => typeof answer === 'object' && answer !== null && 'refused' in answer

const isSystemError = (thrown: unknown): boolean => thrown instanceof Error && 'syscall' in thrown
