/**
 * One connection: a link and the threads that run over it, siblings that each have their own failure boundary. Any of them
 * ending ends the connection; a thread that crashed is restarted first (supervised.ts). Built once per node, run once per peer.
 */
import { type AnyActorLogic, assign, fromCallback, type InputFrom, sendTo, setup } from 'xstate'
import { ClusterError } from '../../base/errors.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import { type End, machineOptions, startHosted } from '../kit/host.js'
import { type ServingInput, servingThread } from '../kit/servingThread.js'
import { type OnRestart, supervised } from '../kit/supervised.js'
import { type LinkClosed, linkActor } from './linkActor.js'

/** A peer, as its threads have it. */
export interface Connected {
  readonly link: Link
  /** Tagged with the peer's name on the master. */
  readonly log: Log
}

/** A row of the threads that run over each connection; made by `thread`, so that the input fits the logic. */
export interface ConnectionThread<C extends Connected> {
  readonly name: string
  readonly logic: AnyActorLogic
  /** What the thread needs of this connection: made once, and handed to it at each start. */
  inputOf(connected: C): unknown
}

export const thread = <C extends Connected, L extends AnyActorLogic>(
  name: string,
  logic: L,
  inputOf: (connected: C) => InputFrom<L>,
): ConnectionThread<C> => ({ name, logic, inputOf })

/** A thread that only answers the peer's requests. */
export const answering = <C extends Connected>(name: string, inputOf: (connected: C) => ServingInput): ConnectionThread<C> =>
  thread(name, servingThread(name), inputOf)

type ConnectionEvent =
  | LinkClosed
  | { readonly type: 'thread.ended'; readonly error: ClusterError | undefined }
  | { readonly type: 'connection.close'; readonly error: ClusterError }

export interface Threads {
  readonly log: Log
  readonly threads: readonly { readonly logic: AnyActorLogic; readonly input: unknown }[]
}

export interface Connection extends Threads {
  readonly link: Link
  readonly error: ClusterError | undefined
}

export const connection = <C extends Connected>(threads: readonly ConnectionThread<C>[], clock: Clock, onRestart?: OnRestart) => {
  const rule = { clock, ...(onRestart && { onRestart }) }
  const built = threads.map(({ name, logic, inputOf }) => ({ inputOf, logic: supervised(logic, { ...rule, name }) }))
  return setup({
    types: { context: {} as Connection, input: {} as C, events: {} as ConnectionEvent, output: {} as End },
    actors: {
      link: linkActor,
      threads: fromCallback<{ type: 'none' }, Threads>(({ input: { log, threads: ofPeer }, sendBack }) => {
        const running = ofPeer.map(({ input, logic }) =>
          startHosted(logic, { clock, input: { input, log }, onEnd: ({ error }) => sendBack({ type: 'thread.ended', error }) }),
        )
        return () => {
          for (const one of running) one.stop()
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
    context: ({ input }) => ({
      link: input.link,
      log: input.log,
      threads: built.map(({ inputOf, logic }) => ({ logic, input: inputOf(input) })),
      error: undefined,
    }),
    invoke: { src: 'link', id: 'link', input: ({ context }) => context.link },
    on: { 'link.closed': { target: '.closed', actions: { type: 'keepError', params: ({ event }) => event.error } } },
    initial: 'up',
    states: {
      up: {
        invoke: { src: 'threads', input: ({ context }) => context },
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
