/** One dedicated thread that keeps its state (a tree, the agents' files, a table) from task to task. Tasks run in the order in which they were given. */
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Piscina } from 'piscina'
import { asClusterError, ClusterError, type ErrorCode } from '../../base/errors.js'
import { InTurn } from '../../base/inTurn.js'
import { isRefusal, refusalIn, type ThreadRefusal } from './threadAnswer.js'

/** What a thread does: by the name of each function that its program exports, what it takes and what it answers. */
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

export class OwnThread<Tasks extends TaskTable<Tasks>> {
  readonly #pool: Piscina
  readonly #options: OwnThreadOptions
  /** Piscina's own queue does not keep the order of tasks when its thread is busy. */
  readonly #inTurn = new InTurn()
  #closing: Promise<void> | undefined
  /** Node aborts the whole process when a thread is ended while it requires its program (v8::Module::IsGraphAsync). */
  readonly #loaded: Promise<unknown>
  /** A thread that died took with it what it knew; another in its place would know only a part of it. */
  #death: ClusterError | undefined

  constructor(options: OwnThreadOptions) {
    this.#options = options
    this.#pool = new Piscina({
      filename: fileURLToPath(options.workerFile),
      minThreads: 1,
      maxThreads: 1,
      idleTimeout: Number.POSITIVE_INFINITY,
      recordTiming: false,
      workerData: options.workerData,
    })
    this.#pool.on('error', (thrown: unknown) => this.#die(thrown))
    for (const worker of this.#pool.threads) worker.once('error', (thrown) => this.#die(thrown))
    // The first message of a thread of piscina's says that its program is loaded.
    this.#loaded = Promise.all(
      this.#pool.threads.map((worker) => new Promise((resolve) => worker.once('message', resolve).once('exit', resolve))),
    )
  }

  /** Fails with what the task refused, with `aborted` once the thread is closed, and with the codes of the options. */
  async run<K extends keyof Tasks & string>(
    name: K,
    task: Tasks[K]['task'],
    transferList: ArrayBuffer[] = [],
  ): Promise<Tasks[K]['answer']> {
    this.#assertAlive()
    let answer: Tasks[K]['answer'] | ThreadRefusal
    try {
      answer = await this.#inTurn.run(() => {
        this.#assertAlive()
        return this.#pool.run(task, { name, transferList })
      })
    } catch (thrown) {
      this.#assertAlive()
      throw asClusterError(thrown, this.#options.failed(thrown))
    }
    if (!isRefusal(answer)) return answer
    throw refusalIn(answer)
  }

  /** Ends the thread, in the middle of a task too: its code leaves nothing behind that the next start cannot repair. */
  close(): Promise<void> {
    this.#closing ??= this.#destroy()
    return this.#closing
  }

  /** Waits for the task that is under way and then for this one, but not longer than that; the tasks behind it fail. Then ends the thread. */
  closeAfter<K extends keyof Tasks & string>(name: K, task: Tasks[K]['task'], msMax: number): Promise<void> {
    this.#closing ??= this.#closeAfter(() => this.#pool.run(task, { name }), msMax)
    return this.#closing
  }

  async #closeAfter(last: () => Promise<unknown>, msMax: number): Promise<void> {
    const waited = new AbortController()
    // Begins in the next turn, when the thread counts as closed.
    const done = this.#inTurn.run(() => (this.#death ? undefined : last()))
    const late = pause(msMax, undefined, { signal: waited.signal })
    await Promise.race([done, late]).catch(() => undefined)
    waited.abort()
    await Promise.all([late.catch(() => undefined), this.#destroy(), done.catch(() => undefined)])
  }

  async #destroy(): Promise<void> {
    await this.#loaded
    await this.#pool.destroy()
  }

  #assertAlive(): void {
    if (this.#closing) throw new ClusterError('aborted', { message: this.#options.closed })
    if (this.#death) throw this.#death
  }

  #die(thrown: unknown): void {
    if (!this.#closing) this.#death ??= asClusterError(thrown, this.#options.died)
  }
}
