/** The threads that work on the disk, and what the one of the synced tree does. */

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
