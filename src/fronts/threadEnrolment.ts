/** The enrolment service in a thread of its own, because each TLS handshake costs a millisecond. */
import { limits } from '../base/limits.js'
import { type EnrolmentFiles, loadEnrolmentFiles } from '../platform/enrolment/enrolmentFiles.js'
import { realClock } from '../platform/machine/realClock.js'
import type { EnrolmentDesk, EnrolmentHost, EnrolmentOptions } from '../ports/enrolment.js'
import type { EnrolmentFront } from './enrolmentWorker.js'
import { startFrontThread } from './frontThread.js'

export interface ThreadEnrolmentOptions {
  readonly files: EnrolmentFiles
  /** The compiled program; the one beside this file when left out. */
  readonly workerFile?: URL
}

export const createThreadEnrolment = ({
  files,
  workerFile = new URL('./enrolmentWorker.js', import.meta.url),
}: ThreadEnrolmentOptions): EnrolmentHost => ({
  start: async (settings, desk) => {
    const options: EnrolmentOptions = { ...settings, ...(await loadEnrolmentFiles(files, realClock.now())) }
    const { call, died, port, stop } = await startFrontThread<EnrolmentFront, EnrolmentDesk>({
      ...{ name: 'The enrolment service', workerFile, options, desk, heapMbMax: limits.enrolmentHeapMbMax },
    })
    return { port, died, stop, counts: () => call('counts') }
  },
})
