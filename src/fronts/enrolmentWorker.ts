/** The thread of the enrolment service: its composition root. */
import { workerData } from 'node:worker_threads'
import { EnrolmentServer } from '../actors/enrolment/enrolmentServer.js'
import { realClock } from '../platform/machine/realClock.js'
import { realRandom } from '../platform/machine/realRandom.js'
import { createAgentNetwork } from '../platform/net/agentNetwork.js'
import type { EnrolmentCounts, EnrolmentDesk, EnrolmentOptions } from '../ports/enrolment.js'
import type { Front } from './frontThread.js'
import { runFront } from './runFront.js'

export interface EnrolmentFront extends Front {
  counts(): Promise<EnrolmentCounts>
}

runFront<EnrolmentDesk, EnrolmentFront>(({ call }) => {
  const server = new EnrolmentServer({
    options: workerData as EnrolmentOptions,
    network: createAgentNetwork(),
    clock: realClock,
    random: realRandom,
    desk: { enrol: (request) => call('enrol', request), log: (level, message) => call('log', level, message) },
  })
  return { calls: { start: () => server.start(), stop: () => server.stop(), counts: async () => server.counts() } }
})
