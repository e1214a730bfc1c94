/** One dedicated thread that keeps its state (a tree, the agents' files, a table) from task to task. Tasks run in the order in which they were given. The thread's side is runTasks. */
import { setTimeout as pause } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { asClusterError, ClusterError, type ErrorCode } from '../../base/errors.js'
import { InTurn } from '../../base/inTurn.js'
import { isRefusal, refusalIn, type ThreadRefusal } from './threadAnswer.js'
import type { NamedTask, TaskOutcome } from './threadTasks.js'

/** What a thread does: by the name of each task that its program runs, what it takes and what it answers. */
export type TaskTable<Tasks> = { readonly [K in keyof Tasks]: { readonly task: unknown; readonly answer: unknown } }

export interface OwnThreadOptions {
  /** The compiled program. */
  readonly workerFile: URL
  /** What the program finds in its workerData. */
  readonly workerData: object
  /** What is closed when the thread is, as a sentence. */
  readonly closed: string
  /** The thread died. */
  readonly died: ErrorCode
  /** A task failed with this. */
  readonly failed: (thrown: unknown) => ErrorCode
}

interface Waiting {
  resolve(answer: unknown): void
  reject(thrown: unknown): void
}

export class OwnThread<Tasks extends TaskTable<Tasks>> {
  readonly #worker: Worker
  readonly #options: OwnThreadOptions
  readonly #inTurn = new InTurn()
  readonly #ended: Promise<unknown>
  /** Tasks that were given and have not ended. */
  #tasks = 0
  /** The caller that waits for the task under way. */
  #waiting: Waiting | undefined
  #closing: Promise<void> | undefined
  /** A thread that died took with it what it knew; another in its place would know only a part of it. */
  #death: ClusterError | undefined

  constructor(options: OwnThreadOptions) {
    this.#options = options
    const worker = new Worker(options.workerFile, { workerData: options.workerData })
    this.#worker = worker
    this.#ended = new Promise((resolve) => worker.once('exit', resolve))
    worker.on('message', (outcome: TaskOutcome) => this.#settle(outcome))
    worker.once('error', (thrown) => this.#die(thrown))
    worker.once('exit', (code) => this.#die(new Error(`the thread ended by itself (code ${code})`)))
    // A process that has nothing else to do may end.
    worker.unref()
  }

  /** It lives, and has nothing to do. */
  get isIdle(): boolean {
    return this.#tasks === 0 && !this.#death
  }

  /** Fails with what the task refused, with `aborted` once the thread is closed, and with the codes of the options. */
  async run<K extends keyof Tasks & string>(
    name: K,
    task: Tasks[K]['task'],
    transferList: ArrayBuffer[] = [],
  ): Promise<Tasks[K]['answer']> {
    this.#assertAlive()
    let answer: Tasks[K]['answer'] | ThreadRefusal
    this.#tasks += 1
    try {
      answer = await this.#inTurn.run(() => {
        this.#assertAlive()
        return this.#hand({ name, task }, transferList)
      })
    } catch (thrown) {
      this.#assertAlive()
      throw asClusterError(thrown, this.#options.failed(thrown))
    } finally {
      this.#tasks -= 1
    }
    if (!isRefusal(answer)) return answer
    throw refusalIn(answer)
  }

  /** Ends the thread, in the middle of a task too: its code leaves nothing behind that the next start cannot repair. */
  close(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  /** Waits for the task that is under way and then for this one, but not longer than that; the tasks behind it fail. Then ends the thread. */
  closeAfter<K extends keyof Tasks & string>(name: K, task: Tasks[K]['task'], msMax: number): Promise<void> {
    this.#closing ??= this.#closeAfter({ name, task }, msMax)
    return this.#closing
  }

  async #closeAfter(last: NamedTask, msMax: number): Promise<void> {
    const waited = new AbortController()
    // Begins in the next turn, when the thread counts as closed.
    const done = this.#inTurn.run(() => (this.#death ? undefined : this.#hand(last, [])))
    const late = pause(msMax, undefined, { signal: waited.signal })
    await Promise.race([done, late]).catch(() => undefined)
    waited.abort()
    await Promise.all([late.catch(() => undefined), this.#end(), done.catch(() => undefined)])
  }

  /** One task at a time. */
  #hand(task: NamedTask, transferList: ArrayBuffer[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#worker.postMessage(task, transferList)
      this.#waiting = { resolve, reject }
      this.#worker.ref()
    })
  }

  #settle(outcome: TaskOutcome): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    this.#worker.unref()
    if ('thrown' in outcome) waiting?.reject(outcome.thrown)
    else waiting?.resolve(outcome.answer)
  }

  async #end(): Promise<void> {
    await this.#worker.terminate()
    await this.#ended
    this.#waiting?.reject(new ClusterError('aborted', { message: this.#options.closed }))
  }

  #assertAlive(): void {
    if (this.#closing) throw new ClusterError('aborted', { message: this.#options.closed })
    if (this.#death) throw this.#death
  }

  #die(thrown: unknown): void {
    if (!this.#closing) this.#death ??= asClusterError(thrown, this.#options.died)
    this.#waiting?.reject(thrown)
  }
}
