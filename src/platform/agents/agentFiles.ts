/** The real AgentFiles port: all work with the disk happens in a thread of its own, so that the event loop never waits for it. */

import { ClusterError } from '../../base/errors.js'
import { type AgentFilesOperation, agentFilesOperations, type CreateAgentFilesOptions } from '../../disk/agents/synchronousAgentFiles.js'
import type { AgentFiles } from '../../ports/agents.js'
import { type Answer, calledOperations, type Given } from '../../ports/operations.js'
import { type CallTask, DiskThread } from '../files/diskThreads.js'

export interface CreateAgentFilesPortOptions extends CreateAgentFilesOptions {
  /** The compiled agentFilesWorker; the one beside this file when left out. */
  readonly workerFile?: URL
}

const defaultWorkerFile = new URL('./agentFilesWorker.js', import.meta.url)

/** An aborted call fails with `aborted` if it has not begun; what has begun is finished and answered all the same. */
export const createAgentFiles = ({ workerFile = defaultWorkerFile, ...options }: CreateAgentFilesPortOptions): AgentFiles => {
  const thread = new DiskThread<CallTask<AgentFilesOperation>>(options, workerFile)
  const run = async <N extends AgentFilesOperation>(name: N, given: Given<AgentFiles, N>, signal: AbortSignal) => {
    // What a check found must not be lost on the way.
    if (signal.aborted && name !== 'nextPage') throw new ClusterError('aborted', { cause: signal.reason })
    return (await thread.run('call', { name, given })) as Answer<AgentFiles, N>
  }
  return { ...calledOperations<AgentFiles, AgentFilesOperation>(agentFilesOperations, run), close: () => thread.close() }
}
