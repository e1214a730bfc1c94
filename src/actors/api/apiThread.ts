/** The HTTP service, kept by its node: its questions are answered as those of the programs are. It crashes, to be started again, when the service has died. */
import { fullStop } from '../../base/fullStop.js'
import type { NodeFigures } from '../../domain/cluster/nodeFigures.js'
import type { NodeState } from '../../domain/cluster/nodeState.js'
import type { ApiDesk, ApiHost, ApiOptions, RunningApi } from '../../ports/api.js'
import type { Clock, Log } from '../../ports/machine.js'
import { type Front, frontThread } from '../kit/front.js'
import { Published } from '../kit/published.js'
import { type AnswerQuestion, DeskAnswers } from './deskAnswers.js'

export interface ApiThreadOptions {
  readonly front: Front<RunningApi>
  readonly host: ApiHost
  readonly options: ApiOptions
  readonly answer: AnswerQuestion
  readonly figures: () => Promise<NodeFigures>
  readonly clock: Clock
  readonly log: Log
  readonly onListening: (port: number) => void
}

export const apiThread = ({ answer, clock, figures, front, host, log, onListening, options }: ApiThreadOptions) =>
  frontThread<RunningApi>({
    id: 'api',
    front,
    // A drained node is to be seen, and made ready, by its own service too.
    state: new Published<NodeState | undefined>('ready'),
    start: async () => {
      const answers = new DeskAnswers(answer, clock)
      const desk: ApiDesk = {
        ask: (request) => answers.ask(request),
        next: (number) => answers.next(number),
        cancel: async (number) => answers.cancel(number),
        figures,
        log: async (level, message) => log[level](message),
      }
      const running = await host.start(options, desk)
      log.info(`Listening on ${options.address}:${running.port}.`)
      onListening(running.port)
      return {
        port: running.port,
        ...(running.certificate && { certificate: running.certificate }),
        died: running.died,
        stop: async () => {
          await running.stop()
          answers.close()
        },
      }
    },
    serve: () => () => undefined,
    onFailure: ({ message }) => log.error(`The HTTP service could not be started: ${fullStop(message)} Retrying.`),
  })
