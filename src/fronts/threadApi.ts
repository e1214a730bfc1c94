/** The HTTP service in a thread of its own, so that its handshakes, its hashes and its end are not felt by the cluster. */
import { limits } from '../base/limits.js'
import { certificateOf } from '../platform/api/apiFiles.js'
import type { ApiDesk, ApiHost, ConfigurationCheck } from '../ports/api.js'
import { type Front, startFrontThread } from './frontThread.js'

export type ApiFrontDesk = ApiDesk & ConfigurationCheck

export interface ThreadApiOptions extends ConfigurationCheck {
  /** The compiled program; the one beside this file when left out. */
  readonly workerFile?: URL
}

export const createThreadApi = ({
  configurationMistakes,
  workerFile = new URL('./apiWorker.js', import.meta.url),
}: ThreadApiOptions): ApiHost => ({
  start: async (options, { ask, cancel, figures, log, next }) => {
    const desk: ApiFrontDesk = { ask, cancel, figures, log, next, configurationMistakes }
    const certificate = await certificateOf(options)
    const { died, port, stop } = await startFrontThread<Front, ApiFrontDesk>({
      ...{ name: 'The HTTP service', workerFile, options, desk, heapMbMax: limits.apiHeapMbMax },
    })
    return { died, port, stop, ...(certificate && { certificate }) }
  },
})
