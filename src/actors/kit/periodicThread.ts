/**
 * A thread that works in rounds: at once, whenever something wakes it, and at an interval in any case. What wakes it during a
 * round leads to exactly one more. A round goes through steps, each a state of the machine, and each says what comes next.
 * The machine says when; what a thread keeps from round to round is made at its start, so that one that crashed starts fresh.
 */
import { assign, fromCallback, sendTo, setup } from 'xstate'
import { ClusterError, isCrash } from '../../base/errors.js'
import type { Clock } from '../../ports/machine.js'
import { type End, machineOptions } from './host.js'
import { type RoundEnded, rounds, roundWanted } from './rounds.js'
import { errorOf } from './thrownError.js'

/** What comes in within this time, in milliseconds, is worth one round: for threads that gather changes. */
export const changesGatherMs = 50

export interface Round {
  /** Of the clock that never jumps. */
  readonly startMs: number
  /** Something woke the thread since the round before began. */
  readonly isWoken: boolean
  /** Aborted when the thread ends. */
  readonly signal: AbortSignal
}

/** `again`: another round at once. `failed`: a rest, whatever came in meanwhile, as after an error. */
export type RoundEnd = 'done' | 'again' | 'failed'

export interface PeriodicThread<Input, Work, Step extends string> {
  readonly id: string
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** Rest before the next round, unless something wakes the thread. */
  readonly everyMs: number
  /** Wait between what wakes the thread and the round; none when left out. */
  readonly gatherMs?: number
  /** The thread rests before its first round. */
  readonly startsResting?: boolean
  /** Makes what this run of the thread works with and keeps from round to round. */
  begin(input: Input): Work
  /** Calls `wake` at each change that is worth a round. Returns what stops that. */
  wakes(work: Work, wake: () => void): readonly (() => void)[]
  /** Where a round begins. */
  readonly initial: NoInfer<Step>
  /** What is done in each step of a round; resolves with what comes next. Errors end the round, and the thread when they are a crash. */
  readonly steps: Readonly<Record<Step, (work: Work, round: Round) => Promise<NoInfer<Step> | RoundEnd>>>
  /** Rest after a round, where it is not always `everyMs`. */
  restMs?(work: Work): number
  /** Called with the error that ended a round. */
  onFailure(work: Work, error: ClusterError): void
  /** Whether nothing but the interval helps after this error: what wakes the thread has to wait for it. Never when left out. */
  waitsOut?(error: ClusterError): boolean
  /** Called when the machine enters a step, or rests. */
  onState?(work: Work, state: Step | 'resting'): void
}

export interface Rounds<Work> {
  readonly work: Work
  readonly startMs: number
  /** Something woke the thread since the round began. */
  readonly wanted: boolean
  readonly isWoken: boolean
  /** Of the round before. */
  readonly failure: ClusterError | undefined
}

export const periodicThread = <Input, Work, Step extends string>(thread: PeriodicThread<Input, Work, Step>) => {
  const { clock, everyMs, gatherMs = 0, id, initial, startsResting = false, steps } = thread
  const names = Object.keys(steps) as Step[]
  const awake = gatherMs > 0 ? 'gathering' : 'round'
  const wakes = fromCallback<{ type: 'none' }, Work>(({ input: work, sendBack }) => {
    const stops = thread.wakes(work, () => sendBack({ type: 'wake' }))
    return () => {
      for (const stop of stops) stop()
    }
  })
  const show =
    (state: Step | 'resting') =>
    ({ context }: { readonly context: Rounds<Work> }): void =>
      thread.onState?.(context.work, state)
  return setup({
    types: {
      context: {} as Rounds<Work>,
      input: {} as Input,
      events: {} as { type: 'wake' } | RoundEnded<'step', Step | RoundEnd>,
      output: {} as End,
    },
    actors: {
      steps: rounds('step', ({ context: { isWoken, startMs, work }, step }: { context: Rounds<Work>; step: Step }, signal) =>
        steps[step](work, { isWoken, signal, startMs }),
      ),
    },
    guards: {
      isWanted: ({ context }) => context.wanted,
      isCrash: ({ context }) => context.failure !== undefined && isCrash(context.failure),
      isWaitedOut: ({ context }) => context.failure !== undefined && (thread.waitsOut?.(context.failure) ?? false),
      isNext: ({ event }, step: string) => event.type === 'step.done' && event.output === step,
    },
    actions: {
      startRound: assign({
        startMs: () => clock.monotonicMs(),
        isWoken: ({ context }) => context.wanted,
        wanted: false,
        failure: undefined,
      }),
      run: sendTo('steps', ({ context }, step: Step) => roundWanted({ context, step })),
      noteWanted: assign({ wanted: true }),
      forgetWanted: assign({ wanted: false }),
      noteFailure: assign({ wanted: false, failure: ({ event }) => errorOf(event) }),
      logFailure: ({ context, event }) => thread.onFailure(context.work, errorOf(event)),
    },
    delays: { everyMs, gatherMs, restMs: ({ context }) => thread.restMs?.(context.work) ?? everyMs },
  }).createMachine({
    id,
    options: machineOptions,
    context: ({ input }) => ({ work: thread.begin(input), startMs: 0, wanted: false, isWoken: false, failure: undefined }),
    invoke: [
      { src: wakes, input: ({ context }) => context.work },
      { src: 'steps', id: 'steps' },
    ],
    on: { wake: { actions: 'noteWanted' } },
    initial: startsResting ? 'resting' : 'round',
    states: {
      round: {
        entry: 'startRound',
        initial,
        states: Object.fromEntries(names.map((step) => [step, { entry: [show(step), { type: 'run', params: step }] }])),
        on: {
          'step.done': [
            { guard: { type: 'isNext', params: 'done' }, target: 'resting' },
            { guard: { type: 'isNext', params: 'again' }, target: 'round', reenter: true },
            { guard: { type: 'isNext', params: 'failed' }, target: 'resting', actions: 'forgetWanted' },
            ...names.map((step) => ({ guard: { type: 'isNext' as const, params: step }, target: `.${step}` })),
          ],
          'step.failed': { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      troubled: {
        always: [{ guard: 'isCrash', target: 'crashed' }, { guard: 'isWaitedOut', target: 'waitingOut' }, { target: 'resting' }],
      },
      waitingOut: { entry: show('resting'), after: { everyMs: 'round' } },
      resting: {
        entry: show('resting'),
        always: { guard: 'isWanted', target: awake },
        after: { restMs: 'round' },
      },
      gathering: { after: { gatherMs: 'round' } },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => ({ kind: 'crashed', error: context.failure ?? new ClusterError('threadCrashed') }),
  })
}
