/** The threads that work on the disk, and what the one of the synced tree does. */

import { ClusterError } from '../../base/errors.js'
import type { TreeOperation } from '../../disk/files/tree.js'
import type { ContentRequest, StageOutcome } from '../../domain/files/treeValues.js'
import { OwnThread, type TaskTable } from '../machine/ownThread.js'
import type { ThreadCall, ThreadRefusal } from '../machine/threadAnswer.js'
import type { ArrivedBlock, ReadAnswer } from './diskWorker.js'

/** Operations of a port by their names; the port knows what each answers. */
export interface CallTask<Operation extends string> {
  call: { readonly task: ThreadCall<Operation>; readonly answer: unknown }
}

/** What a disk thread does, by the names that diskWorker runs it by. */
export interface DiskTasks extends CallTask<TreeOperation> {
  read: { readonly task: { readonly request: ContentRequest; readonly firstFile: number }; readonly answer: readonly ReadAnswer[] }
  stage: { readonly task: readonly ArrivedBlock[]; readonly answer: readonly (StageOutcome | ThreadRefusal)[] }
}

export const defaultWorkerFile = new URL('./diskWorker.js', import.meta.url)

/** A thread that works on the disk. */
export class DiskThread<Tasks extends TaskTable<Tasks> = DiskTasks> extends OwnThread<Tasks> {
  /** @param options what the program finds in its workerData */
  constructor(options: object, workerFile: URL) {
    super({
      workerFile,
      workerData: options,
      closed: 'The files are closed',
      died: 'threadCrashed',
      failed: (thrown) => (isSystemError(thrown) ? 'fileFailed' : 'internal'),
    })
  }
}

const isSystemError = (thrown: unknown): boolean => thrown instanceof Error && 'syscall' in thrown

/** What a thread does. */
export type DiskWork = 'tree' | 'content' | 'delta'

/** The threads of one node's files, each begun by the first work for it. */
export class DiskThreads {
  readonly #begin: () => DiskThread
  readonly #contentRestMs: number
  readonly #threads = new Map<DiskWork, DiskThread>()
  #rest: NodeJS.Timeout | undefined
  #ending: Promise<void> | undefined
  #isClosed = false

  /** @param contentRestMs the thread for content is ended after this long without work: what it knew can be read from the stage again */
  constructor(begin: () => DiskThread, contentRestMs: number) {
    this.#begin = begin
    this.#contentRestMs = contentRestMs
  }

  /** The caller gives it work at once. Fails with `aborted` once they are closed. */
  of(work: DiskWork): DiskThread {
    if (this.#isClosed) throw new ClusterError('aborted', { message: 'The files are closed' })
    const thread = this.#threads.get(work) ?? this.#begin()
    this.#threads.set(work, thread)
    if (work === 'content') this.#endAfterRest(thread)
    return thread
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#rest)
    await Promise.all([this.#ending, ...Array.from(this.#threads.values(), (thread) => thread.close())])
  }

  #endAfterRest(thread: DiskThread): void {
    clearTimeout(this.#rest)
    this.#rest = setTimeout(() => {
      if (!thread.isIdle) {
        this.#endAfterRest(thread)
        return
      }
      this.#threads.delete('content')
      this.#ending = thread.close()
    }, this.#contentRestMs).unref()
  }
}
