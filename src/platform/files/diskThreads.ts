/** The threads that work on the disk, and what the one of the synced tree does. */

import type { Plan } from '../../disk/files/planApplier.js'
import type { ByteRange, ContentRecipe } from '../../domain/files/contentRecipe.js'
import type { AppliedPlan, ContentRequest, Digest, PatchRanges, PatchStart, ScanPage, StageOutcome } from '../../domain/files/treeValues.js'
import { OwnThread, type TaskTable } from '../machine/ownThread.js'
import type { ThreadRefusal } from '../machine/threadAnswer.js'
import type { ArrivedBlock, ReadAnswer } from './diskWorker.js'

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
