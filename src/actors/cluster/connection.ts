/**
 * One connection: a link and the threads that run over it, siblings that each have their own failure boundary. Any of them
 * ending ends the connection; a thread that crashed is restarted first (supervised.ts). Built once per node, run once per peer.
 */
import { type AnyActorLogic, assign, fromCallback, sendTo, setup } from 'xstate'
import { ClusterError } from '../../base/errors.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import { type End, machineOptions, startHosted } from '../kit/host.js'
import { supervised } from '../kit/supervised.js'
import { type LinkClosed, linkActor } from './linkActor.js'

export interface ConnectionThread {
  readonly name: string
  readonly logic: AnyActorLogic
}

export interface ConnectionInput {
  readonly link: Link
  /** Tagged with the peer's name on the master. */
  readonly log: Log
  /** What each thread needs of this connection, by its name. */
  readonly threads: Readonly<Record<string, unknown>>
}

type ConnectionEvent =
  | LinkClosed
  | { readonly type: 'thread.ended'; readonly error: ClusterError | undefined }
  | { readonly type: 'connection.close'; readonly error: ClusterError }

export const connection = (threads: readonly ConnectionThread[], clock: Clock) => {
  const built = threads.map(({ name, logic }) => ({ name, logic: supervised(logic, { name, clock }) }))
  return setup({
    types: {
      context: {} as { input: ConnectionInput; error: ClusterError | undefined },
      input: {} as ConnectionInput,
      events: {} as ConnectionEvent,
      output: {} as End,
    },
    actors: {
      link: linkActor,
      threads: fromCallback<{ type: 'none' }, ConnectionInput>(({ input, sendBack }) => {
        const running = built.map(({ name, logic }) =>
          startHosted(logic, {
            clock,
            input: { input: input.threads[name], log: input.log },
            onEnd: ({ error }) => sendBack({ type: 'thread.ended', error }),
          }),
        )
        return () => {
          for (const thread of running) thread.stop()
        }
      }),
    },
    actions: {
      // The first reason is the real one: closing the link ends the rest with reasons that say less.
      keepError: assign({ error: ({ context }, error: ClusterError | undefined) => context.error ?? error }),
      closeLink: sendTo('link', ({ context }) => ({ type: 'link.close' as const, ...(context.error && { error: context.error }) })),
    },
  }).createMachine({
    id: 'connection',
    options: machineOptions,
    context: ({ input }) => ({ input, error: undefined }),
    invoke: { src: 'link', id: 'link', input: ({ context }) => context.input.link },
    on: { 'link.closed': { target: '.closed', actions: { type: 'keepError', params: ({ event }) => event.error } } },
    initial: 'up',
    states: {
      up: {
        invoke: { src: 'threads', input: ({ context }) => context.input },
        on: {
          'thread.ended': { target: 'closing', actions: { type: 'keepError', params: ({ event }) => event.error } },
          'connection.close': { target: 'closing', actions: { type: 'keepError', params: ({ event }) => event.error } },
        },
      },
      closing: { entry: 'closeLink' },
      closed: { type: 'final' },
    },
    output: ({ context }): End => ({ kind: 'closed', error: context.error ?? new ClusterError('linkClosed') }),
  })
}
