/**
 * A service that runs beside the node, in a thread of its own, and that a port starts: it is started once its node is ready, served while it
 * runs, started again after a while when it could not be, and its death is a crash of the actor that keeps it. While an operator keeps the
 * node drained, it is not there: its port is closed.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { NodeState } from '../../domain/cluster/nodeState.js'
import { type End, machineOptions } from './host.js'
import type { Published } from './published.js'
import { crashIn, errorOf } from './thrownError.js'

export interface RunningFront {
  /** Resolves when it has died. */
  readonly died: Promise<ClusterError>
  stop(): Promise<void>
}

/** What a node holds of a front, whichever run of it that is. */
export class Front<R extends RunningFront> {
  #running: R | undefined
  readonly #stopping = new Set<Promise<void>>()

  /** Undefined while there is none. */
  get running(): R | undefined {
    return this.#running
  }

  began(running: R): void {
    this.#running = running
  }

  end(running: R): void {
    if (this.#running === running) this.#running = undefined
    const stopping = running
      .stop()
      .catch(() => undefined)
      .finally(() => this.#stopping.delete(stopping))
    this.#stopping.add(stopping)
  }

  /** Resolves when nothing of it is open any more. */
  async ended(): Promise<void> {
    await Promise.all(this.#stopping)
  }
}

export interface FrontOptions<R extends RunningFront> {
  readonly id: string
  readonly front: Front<R>
  /** Of its node; undefined while that is not known. */
  readonly state: Published<NodeState | undefined>
  /** Errors other than crashes are tried again. */
  start(signal: AbortSignal): Promise<R>
  /** Runs while it does; returns what stops that. `fail` is for what cannot be gone on with. */
  serve(running: R, fail: (error: ClusterError) => void): () => void
  /** The node is drained: what is to be done while it still runs and is served. */
  drain?(running: R): Promise<void>
  /** It could not be started; called once for the same sentence. */
  onFailure(error: ClusterError): void
}

/** Of the actor that keeps it. */
export interface FrontRun<R> {
  readonly running: R | undefined
  readonly failure: string | undefined
  readonly error: ClusterError
}

export const frontThread = <R extends RunningFront>({ drain, front, id, onFailure, serve, start, state }: FrontOptions<R>) =>
  setup({
    types: { context: {} as FrontRun<R>, events: {} as { type: 'front.died'; error: ClusterError }, output: {} as End },
    actors: {
      untilReady: fromPromise<void>(({ signal }) => state.waitUntil((is) => is === 'ready', signal)),
      untilDrained: fromPromise<void>(({ signal }) => state.waitUntil((is) => is !== 'ready', signal)),
      drain: fromPromise<void, { readonly running: R | undefined }>(async ({ input: { running } }) => running && drain?.(running)),
      start: fromPromise<R>(async ({ signal }) => {
        // Its port is free only then.
        await front.ended()
        const running = await start(signal)
        if (signal.aborted) front.end(running)
        else front.began(running)
        return running
      }),
      serve: fromCallback<{ type: 'none' }, { readonly running: R | undefined }>(({ input: { running }, sendBack }) => {
        if (!running) return undefined
        const fail = (error: ClusterError): void => sendBack({ type: 'front.died', error })
        const stop = serve(running, fail)
        void running.died.then(fail)
        return () => {
          stop()
          front.end(running)
        }
      }),
    },
    guards: { isCrash: ({ event }) => crashIn(event) !== undefined },
    actions: {
      keepError: assign({ error: ({ event }) => ('error' in event ? errorOf(event) : new ClusterError('threadCrashed')) }),
      logFailure: ({ context, event }) => {
        const error = errorOf(event)
        if (error.message !== context.failure) onFailure(error)
      },
      noteFailure: assign({ failure: ({ event }) => errorOf(event).message }),
    },
    delays: { retry: limits.frontRetryMs },
  }).createMachine({
    id,
    options: machineOptions,
    context: { running: undefined, failure: undefined, error: new ClusterError('threadCrashed') },
    initial: 'closed',
    states: {
      closed: { invoke: { src: 'untilReady', onDone: 'starting' } },
      starting: {
        invoke: {
          src: 'start',
          onDone: { target: 'serving', actions: assign({ running: ({ event }) => event.output, failure: undefined }) },
          onError: [
            { guard: 'isCrash', target: 'crashed', actions: 'keepError' },
            { target: 'waiting', actions: ['logFailure', 'noteFailure'] },
          ],
        },
      },
      waiting: { after: { retry: 'closed' } },
      serving: {
        invoke: { src: 'serve', input: ({ context }) => ({ running: context.running }) },
        on: { 'front.died': { target: 'crashed', actions: 'keepError' } },
        initial: 'open',
        states: {
          open: { invoke: { src: 'untilDrained', onDone: 'draining' } },
          draining: {
            invoke: {
              src: 'drain',
              input: ({ context }) => ({ running: context.running }),
              onDone: `#${id}.closed`,
              onError: { target: `#${id}.crashed`, actions: 'keepError' },
            },
          },
        },
      },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => ({ kind: 'crashed', error: context.error }),
  })
