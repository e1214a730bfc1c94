/**
 * Restarts a thread that crashed, after a growing delay, and gives it up when it crashes too often: then its connection
 * (or its node) has to go. The rule is domain/cluster/restartPolicy.
 */
import { type AnyActorLogic, assign, setup } from 'xstate'
import { ClusterError } from '../../base/errors.js'
import { decideRestart, defaultRestartPolicy, type RestartDecision, type RestartPolicy } from '../../domain/cluster/restartPolicy.js'
import type { Clock, Log } from '../../ports/machine.js'
import { type ChildEvent, type End, hosted, machineOptions } from './host.js'

interface Supervision {
  readonly crashesMs: readonly number[]
  readonly decision: RestartDecision
  readonly error: ClusterError | undefined
  readonly input: unknown
  readonly log: Log
}

export interface SupervisedInput {
  /** Handed to the thread at each start. */
  readonly input: unknown
  readonly log: Log
}

export type OnRestart = (thread: string, error: ClusterError) => void

export interface SupervisedOptions {
  readonly name: string
  readonly clock: Clock
  readonly policy?: RestartPolicy
  /** Called for each crash that is followed by a restart. */
  readonly onRestart?: OnRestart
}

/** A thread's logic as a supervised actor: ends `closed` when the thread is done, `crashed` when it is given up. */
export const supervised = (thread: AnyActorLogic, { name, clock, onRestart, policy = defaultRestartPolicy }: SupervisedOptions) =>
  setup({
    types: { context: {} as Supervision, events: {} as ChildEvent, input: {} as SupervisedInput, output: {} as End },
    actors: { thread: hosted(thread, clock) },
    guards: { isGivenUp: ({ context }) => context.decision.kind === 'escalate' },
    actions: {
      judgeCrash: assign(({ context, event }) => {
        const decision = decideRestart(context.crashesMs, clock.monotonicMs(), policy)
        return { decision, error: event.error, crashesMs: decision.kind === 'restart' ? decision.crashesMs : context.crashesMs }
      }),
      keepEnd: assign({ error: ({ event }) => event.error }),
      reportRestart: ({ context }) => {
        const delay = context.decision.kind === 'restart' ? context.decision.delayMs : 0
        context.log.error(`Thread '${name}' crashed: ${context.error?.message ?? 'unknown'}. Restarting in ${delay} ms.`)
        onRestart?.(name, context.error ?? new ClusterError('threadCrashed'))
      },
      logGivenUp: ({ context }) =>
        context.log.error(
          `Thread '${name}' crashed ${policy.restartsMax + 1} times within ${policy.windowMs / 1000} s and is not restarted again: ${context.error?.message ?? 'unknown'}`,
        ),
    },
    delays: { restartDelay: ({ context }) => (context.decision.kind === 'restart' ? context.decision.delayMs : 0) },
  }).createMachine({
    id: name,
    options: machineOptions,
    context: ({ input }) => ({
      crashesMs: [],
      decision: { kind: 'restart', delayMs: 0, crashesMs: [] },
      error: undefined,
      input: input.input,
      log: input.log,
    }),
    initial: 'running',
    states: {
      running: {
        invoke: { src: 'thread', input: ({ context }) => ({ input: context.input }) },
        on: {
          'child.crashed': { target: 'judging', actions: 'judgeCrash' },
          'child.closed': { target: 'ended', actions: 'keepEnd' },
        },
      },
      judging: { always: [{ guard: 'isGivenUp', target: 'givenUp' }, { target: 'backingOff' }] },
      backingOff: { entry: 'reportRestart', after: { restartDelay: 'running' } },
      ended: { type: 'final' },
      givenUp: { entry: 'logGivenUp', type: 'final' },
    },
    output: ({ context }): End =>
      context.decision.kind === 'escalate'
        ? { kind: 'crashed', error: context.error ?? new ClusterError('threadCrashed') }
        : { kind: 'closed', ...(context.error && { error: context.error }) },
  })
