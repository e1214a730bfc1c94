/** The HTTP service in a thread of its own, so that its handshakes, its hashes and its end are not felt by the cluster. */
import { limits } from '../base/limits.js'
import { certificateOf } from '../platform/api/apiFiles.js'
import type { ApiDesk, ApiHost } from '../ports/api.js'
import { type Front, startFrontThread } from './frontThread.js'

export interface ThreadApiOptions {
  /** The compiled program; the one beside this file when left out. */
  readonly workerFile?: URL
}

export const createThreadApi = ({ workerFile = new URL('./apiWorker.js', import.meta.url) }: ThreadApiOptions = {}): ApiHost => ({
  start: async (options, { ask, cancel, figures, log, next }) => {
    const desk: ApiDesk = { ask, cancel, figures, log, next }
    const certificate = await certificateOf(options)
    const { died, port, stop } = await startFrontThread<Front, ApiDesk>({
      ...{ name: 'The HTTP service', workerFile, options, desk, heapMbMax: limits.apiHeapMbMax },
    })
    return { died, port, stop, ...(certificate && { certificate }) }
  },
})
