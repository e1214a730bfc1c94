/** The real AgentFiles port: all work with the disk happens in a thread of its own, so that the event loop never waits for it. */

import { ClusterError } from '../../base/errors.js'
import type { CreateAgentFilesOptions } from '../../disk/agents/synchronousAgentFiles.js'
import type { KeysAnswer, KeysChange, KeysPage } from '../../domain/agents/keyEntry.js'
import type { AgentFiles, GroupFile, MergedOutcome } from '../../ports/agents.js'
import { DiskThread } from '../files/diskThreads.js'

export interface CreateAgentFilesPortOptions extends CreateAgentFilesOptions {
  /** The compiled agentFilesWorker; the one beside this file when left out. */
  readonly workerFile?: URL
}

/** By the names that agentFilesWorker exports. */
interface AgentFilesTasks {
  look: { readonly task: { readonly all: boolean; readonly confirmed: string }; readonly answer: KeysPage }
  nextPage: { readonly task: undefined; readonly answer: KeysPage }
  change: { readonly task: readonly KeysChange[]; readonly answer: readonly KeysAnswer[] }
  forget: { readonly task: readonly number[]; readonly answer: null }
  groups: { readonly task: undefined; readonly answer: readonly string[] }
  groupFiles: { readonly task: string; readonly answer: readonly GroupFile[] }
  mergedSum: { readonly task: readonly string[]; readonly answer: string | undefined }
  createGroup: { readonly task: string; readonly answer: null }
  createDefaultGroup: { readonly task: undefined; readonly answer: boolean }
  removeGroup: { readonly task: string; readonly answer: null }
  buildMerged: { readonly task: readonly (readonly string[])[]; readonly answer: MergedOutcome }
}

const defaultWorkerFile = new URL('./agentFilesWorker.js', import.meta.url)

/** An aborted call fails with `aborted` if it has not begun; what has begun is finished and answered all the same. */
export const createAgentFiles = ({ workerFile = defaultWorkerFile, ...options }: CreateAgentFilesPortOptions): AgentFiles => {
  const thread = new DiskThread<AgentFilesTasks>(options, workerFile)
  const run = async <K extends keyof AgentFilesTasks>(
    name: K,
    task: AgentFilesTasks[K]['task'],
    signal: AbortSignal,
  ): Promise<AgentFilesTasks[K]['answer']> => {
    if (signal.aborted) throw new ClusterError('aborted', { cause: signal.reason })
    return thread.run(name, task)
  }
  return {
    check: (all, confirmed, signal) => run('look', { all, confirmed }, signal),
    // What a look found must not be lost on the way.
    nextPage: () => thread.run('nextPage', undefined),
    change: (changes, signal) => run('change', changes, signal),
    forget: async (ids, signal) => {
      await run('forget', ids, signal)
    },
    groups: (signal) => run('groups', undefined, signal),
    groupFiles: (group, signal) => run('groupFiles', group, signal),
    mergedSum: (groups, signal) => run('mergedSum', groups, signal),
    createGroup: async (group, signal) => {
      await run('createGroup', group, signal)
    },
    createDefaultGroup: (signal) => run('createDefaultGroup', undefined, signal),
    removeGroup: async (group, signal) => {
      await run('removeGroup', group, signal)
    },
    buildMerged: (multigroups, signal) => run('buildMerged', multigroups, signal),
    close: () => thread.close(),
  }
}
