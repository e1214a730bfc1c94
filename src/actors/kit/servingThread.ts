/**
 * A thread that only answers: it serves requests over its link for as long as its connection lives, and crashes, to be
 * started again, when an answer meets something unexpected.
 */
import { assign, fromCallback, setup } from 'xstate'
import { asClusterError, ClusterError } from '../../base/errors.js'
import type { Handlers, Link } from '../../ports/link.js'
import { type End, machineOptions } from './host.js'

/** How a thread that answers ends. */
export interface ServingEnd {
  /** Aborted when it has ended. */
  readonly signal: AbortSignal
  /** Work that goes on after its request was answered met something unexpected. */
  crash(thrown: unknown): void
}

export interface ServingInput {
  readonly link: Pick<Link, 'serve'>
  /** The handlers of this connection. */
  answers(thread: ServingEnd): Handlers
  /** Runs beside them; returns what stops it. */
  alongside?(): () => void
}

export const servingThread = (id: string) =>
  setup({
    types: {
      context: {} as { input: ServingInput; crash: ClusterError },
      input: {} as ServingInput,
      events: {} as { type: 'answer.crashed'; error: ClusterError },
      output: {} as End,
    },
    actors: {
      answers: fromCallback<{ type: 'none' }, ServingInput>(({ input, sendBack }) => {
        const abort = new AbortController()
        const crash = (thrown: unknown): void => {
          if (!abort.signal.aborted) sendBack({ type: 'answer.crashed', error: asClusterError(thrown, 'threadCrashed') })
        }
        const stopAnswers = input.link.serve(input.answers({ signal: abort.signal, crash }), { onCrash: crash })
        const stopCompany = input.alongside?.()
        return () => {
          abort.abort()
          stopAnswers()
          stopCompany?.()
        }
      }),
    },
    actions: { keepCrash: assign({ crash: (_, error: ClusterError) => error }) },
  }).createMachine({
    id,
    options: machineOptions,
    context: ({ input }) => ({ input, crash: new ClusterError('threadCrashed') }),
    initial: 'serving',
    states: {
      serving: {
        invoke: { src: 'answers', input: ({ context }) => context.input },
        on: { 'answer.crashed': { target: 'crashed', actions: { type: 'keepCrash', params: ({ event }) => event.error } } },
      },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => ({ kind: 'crashed', error: context.crash }),
  })
