/** The enrolment service, kept by its node: what agents ask for goes through the door of all operations. It crashes, to be started again, when the service has died. */
import { asClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import type { EnrolmentAnswer, EnrolmentRequest } from '../../domain/agents/enrolmentRequest.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { NodeState } from '../../domain/cluster/nodeState.js'
import { passwordPath } from '../../domain/enrolment/passwordFile.js'
import type { EnrolmentDesk, EnrolmentHost, EnrolmentSettings, RunningEnrolment } from '../../ports/enrolment.js'
import type { Log } from '../../ports/machine.js'
import { type Front, frontThread } from '../kit/front.js'
import type { Published } from '../kit/published.js'

/** A part of AgentOperations. */
export interface EnrolmentDoor {
  enrol(request: EnrolmentRequest, signal: AbortSignal): Promise<KeyEntry>
}

export interface EnrolmentThreadOptions {
  readonly front: Front<RunningEnrolment>
  readonly host: EnrolmentHost
  readonly settings: EnrolmentSettings
  readonly state: Published<NodeState | undefined>
  readonly operations: EnrolmentDoor
  readonly log: Log
  readonly onListening: (port: number) => void
}

export const enrolmentThread = ({ front, host, log, onListening, operations, settings, state }: EnrolmentThreadOptions) =>
  frontThread<RunningEnrolment>({
    id: 'enrolment',
    front,
    state,
    start: async () => {
      const ending = new AbortController()
      const desk: EnrolmentDesk = {
        enrol: (request) => answerOf(operations, request, ending.signal),
        log: async (level, message) => log[level](message),
      }
      const running = await host.start(settings, desk)
      // As Wazuh writes it.
      const asked = settings.usesPassword ? `Using password specified on file: ${passwordPath}` : 'No password required.'
      log.info(`Accepting connections on port ${running.port}. ${asked}`)
      onListening(running.port)
      return {
        port: running.port,
        died: running.died,
        counts: () => running.counts(),
        stop: async () => {
          ending.abort()
          await running.stop()
        },
      }
    },
    serve: () => () => undefined,
    onFailure: ({ message }) => log.error(`The enrolment service could not be started: ${fullStop(message)} Retrying.`),
  })

/** Errors are part of what the agent is answered. */
const answerOf = async (operations: EnrolmentDoor, request: EnrolmentRequest, signal: AbortSignal): Promise<EnrolmentAnswer> => {
  try {
    return { ok: true, entry: await operations.enrol(request, signal) }
  } catch (thrown) {
    const { code, context, message } = asClusterError(thrown)
    const { group } = context
    return { ok: false, code, message, ...(typeof group === 'string' && { subject: group }) }
  }
}
