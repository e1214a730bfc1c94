/** One dedicated thread that keeps its state (a tree, the agents' files) from task to task. Tasks run in the order in which they were given. */
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import type { ByteRange, ContentRecipe } from '../domain/contentRecipe.js'
import type { AppliedPlan, ContentRequest, Digest, PatchRanges, PatchStart, ScanPage, StageOutcome } from '../domain/tree.js'
import { asClusterError, ClusterError } from '../errors.js'
import type { Plan } from '../tree/planApplier.js'
import type { ArrivedBlock, ReadAnswer } from './diskWorker.js'
import { isRefusal, refusalIn, type ThreadRefusal } from './threadAnswer.js'

/** What a disk thread does, by the names that diskWorker exports. */
export interface DiskTasks {
  scan: { readonly task: readonly string[] | undefined; readonly answer: ScanPage }
  nextPage: { readonly task: undefined; readonly answer: ScanPage }
  apply: { readonly task: Plan; readonly answer: AppliedPlan }
  read: { readonly task: { readonly request: ContentRequest; readonly firstFile: number }; readonly answer: readonly ReadAnswer[] }
  staged: { readonly task: readonly Digest[]; readonly answer: readonly number[] }
  stage: { readonly task: readonly ArrivedBlock[]; readonly answer: readonly (StageOutcome | ThreadRefusal)[] }
  recipe: { readonly task: { readonly path: string; readonly digest: Digest }; readonly answer: ContentRecipe }
  beginPatch: { readonly task: PatchStart; readonly answer: readonly ByteRange[] | null }
  fillPatch: { readonly task: PatchRanges & { readonly block: Uint8Array }; readonly answer: number }
  finishPatch: { readonly task: Digest; readonly answer: null }
  clearStage: { readonly task: undefined; readonly answer: null }
}

export const defaultWorkerFile = new URL('./diskWorker.js', import.meta.url)

/** What a thread does: by the name of each function that its program exports, what it takes and what it answers. */
type TaskTable<Tasks> = { readonly [K in keyof Tasks]: { readonly task: unknown; readonly answer: unknown } }

export class DiskThread<Tasks extends TaskTable<Tasks> = DiskTasks> {
  readonly #pool: Piscina
  /** The task before the next one: piscina's own queue does not keep the order of tasks when its thread is busy. */
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false
  /** A thread that died took with it what it knew; another in its place would report only a part of what is gone. */
  #death: ClusterError | undefined

  /** @param options what the program finds in its workerData */
  constructor(options: object, workerFile: URL) {
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

  async run<K extends keyof Tasks & string>(
    name: K,
    task: Tasks[K]['task'],
    transferList: ArrayBuffer[] = [],
  ): Promise<Tasks[K]['answer']> {
    if (this.#isClosed) throw new ClusterError('aborted', { message: 'The files are closed' })
    if (this.#death) throw this.#death
    let answer: Tasks[K]['answer'] | ThreadRefusal
    try {
      answer = await this.#inTurn(() => this.#pool.run(task, { name, transferList }))
    } catch (thrown) {
      if (this.#isClosed) throw new ClusterError('aborted', { message: 'The files are closed', cause: thrown })
      throw asClusterError(thrown, isSystemError(thrown) ? 'fileFailed' : 'internal')
    }
    if (!isRefusal(answer)) return answer
    throw refusalIn(answer)
  }

  /** Ends the thread, in the middle of a task too: its code leaves nothing behind that the next start cannot mend. */
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

const isSystemError = (thrown: unknown): boolean => thrown instanceof Error && 'syscall' in thrown
