/** The thread of the HTTP service: its composition root. */
import { workerData } from 'node:worker_threads'
import { ApiListener } from '../platform/api/apiListener.js'
import { readPageFiles } from '../platform/api/pageFiles.js'
import { UserFile } from '../platform/api/userFile.js'
import { realClock } from '../platform/machine/realClock.js'
import { realRandom } from '../platform/machine/realRandom.js'
import type { ApiDesk, ApiOptions } from '../ports/api.js'
import type { Front } from './frontThread.js'
import { runFront } from './runFront.js'

runFront<ApiDesk, Front>(({ call }) => {
  const options = workerData as ApiOptions
  const listener = new ApiListener({
    ...{ options, clock: realClock, random: realRandom, users: new UserFile(options.home), page: readPageFiles() },
    desk: {
      ask: (request) => call('ask', request),
      next: (answer) => call('next', answer),
      cancel: (answer) => call('cancel', answer),
      figures: () => call('figures'),
      log: (level, message) => call('log', level, message),
    },
  })
  return { calls: { start: () => listener.start(), stop: () => listener.stop() } }
})
