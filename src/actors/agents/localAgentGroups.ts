/**
 * Local agent-groups: reads the state of the master's groups once for all workers, at intervals and soon after each change,
 * and publishes it to their connections. Once, on the master.
 */
import { assign, fromCallback, fromPromise, setup } from 'xstate'
import { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { NoticeBody } from '../../wire/muster/messages.js'
import { type End, machineOptions } from '../kit/host.js'
import { Signal } from '../kit/signal.js'
import { crashIn, errorOf } from '../kit/thrownError.js'
import type { LocalAgents } from './nodeAgents.js'

/** What the connections tell their workers. */
export class PublishedGroups {
  readonly told = new Signal()
  #state: NoticeBody<'agentGroups.state'> | undefined

  get state(): NoticeBody<'agentGroups.state'> | undefined {
    return this.#state
  }

  publish(state: NoticeBody<'agentGroups.state'>): void {
    this.#state = state
    this.told.emit()
  }
}

export interface LocalAgentGroupsOptions {
  readonly agents: LocalAgents
  readonly published: PublishedGroups
  readonly clock: Clock
  readonly intervalMs: number
  /** Before the first round, for the workers to connect. */
  readonly startDelayMs: number
  readonly log: Log
}

/** Changes that come together within this time are told together. */
const gatherMs = 50

interface Reading {
  readonly startMs: number
  readonly wanted: boolean
  readonly crash: ClusterError | undefined
}

export const localAgentGroups = ({ agents, clock, intervalMs, log, published, startDelayMs }: LocalAgentGroupsOptions) => {
  const publish = async (signal: AbortSignal): Promise<void> => {
    await agents.ready(signal)
    // The state is read after the agents: a worker that has these agents has all that the state rests on, or is told anew.
    const ids = agents.trustedDigest
    const { hash, table, version } = await agents.store.groupsState()
    published.publish({ table, version, hash, ids })
  }
  return setup({
    types: { context: {} as Reading, events: {} as { type: 'groups.changed' } | { type: 'keys.changed' }, output: {} as End },
    actors: {
      changes: fromCallback(({ sendBack }) => {
        const stopGroups = agents.groups.changes.add(() => sendBack({ type: 'groups.changed' }))
        const stopKeys = agents.keys.add(() => sendBack({ type: 'keys.changed' }))
        return () => {
          stopGroups()
          stopKeys()
        }
      }),
      publish: fromPromise<void>(({ signal }) => publish(signal)),
    },
    guards: { isWanted: ({ context }) => context.wanted, isCrash: ({ context }) => context.crash !== undefined },
    actions: {
      logSleep: () =>
        log.info(`Sleeping ${startDelayMs / 1000}s before starting the agent-groups task, waiting for the workers connection.`),
      startRound: assign({ startMs: () => clock.monotonicMs(), wanted: false }),
      noteWanted: assign({ wanted: true }),
      logStart: () => log.info('Starting.'),
      logEnd: ({ context }) => log.info(`Finished in ${logSeconds(clock.monotonicMs() - context.startMs)}.`),
      logFailure: ({ event }) => log.error(`The groups could not be read: ${fullStop(errorOf(event).message)} Retrying.`),
      noteFailure: assign({ wanted: false, crash: ({ event }) => crashIn(event) }),
    },
    delays: { startDelay: startDelayMs, interval: intervalMs, gathering: gatherMs },
  }).createMachine({
    id: 'localAgentGroups',
    options: machineOptions,
    context: { startMs: 0, wanted: false, crash: undefined },
    invoke: { src: 'changes' },
    on: { 'groups.changed': { actions: 'noteWanted' }, 'keys.changed': { actions: 'noteWanted' } },
    initial: 'sleeping',
    states: {
      // A change is told at once all the same.
      sleeping: { entry: 'logSleep', on: { 'groups.changed': 'gathering' }, after: { startDelay: 'reading' } },
      reading: {
        entry: ['startRound', 'logStart'],
        invoke: {
          src: 'publish',
          onDone: { target: 'resting', actions: 'logEnd' },
          onError: { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      troubled: { always: [{ guard: 'isCrash', target: 'crashed' }, { target: 'resting' }] },
      resting: {
        always: { guard: 'isWanted', target: 'gathering' },
        after: { interval: 'reading' },
      },
      gathering: { after: { gathering: 'reading' } },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => ({ kind: 'crashed', error: context.crash ?? new ClusterError('threadCrashed') }),
  })
}
