/**
 * Local agents: keeps a node's table of agents in line with client.keys and with time: who is gone goes, who is silent for
 * too long is disconnected. Once per node, on master and workers alike.
 */
import { assign, fromCallback, fromPromise, sendTo, setup } from 'xstate'
import { counted } from '../../base/counted.js'
import { ClusterError, isCrash } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import { keysPath } from '../../domain/agents/keyEntry.js'
import type { OpenedStore } from '../../ports/agents.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { LocalTree } from '../files/localTree.js'
import { type End, machineOptions } from '../kit/host.js'
import { type RoundEnded, rounds, roundWanted } from '../kit/rounds.js'
import { crashIn, errorOf } from '../kit/thrownError.js'
import type { KeysCheck, LocalAgents } from './nodeAgents.js'

export interface LocalAgentsThreadOptions {
  readonly agents: LocalAgents
  readonly tree: LocalTree
  readonly clock: Clock
  /** Rest between two looks at client.keys that nothing asks for. */
  readonly checkIntervalMs: number
  readonly log: Log
}

/** Rest between two searches for silent agents. */
const silenceIntervalMs = 10_000
/** A node that was down has to hear from its workers and agents before it calls any of them silent. */
const silenceGraceMs = 60_000

interface Upkeep {
  readonly openedMs: number
  readonly startMs: number
  /** When client.keys is looked at again. */
  readonly lookAtMs: number
  /** When silent agents are looked for again. */
  readonly silenceAtMs: number
  /** client.keys changed while it was looked at. */
  readonly wanted: boolean
  readonly failure: string | undefined
  readonly error: ClusterError | undefined
}

export const localAgents = ({ agents, clock, log, checkIntervalMs, tree }: LocalAgentsThreadOptions) => {
  let seenDigest: string | undefined
  const digestNow = (): string | undefined => {
    const entry = tree.manifest.get(keysPath)
    return entry?.held ? 'held' : entry?.digest
  }
  return setup({
    types: {
      context: {} as Upkeep,
      events: {} as { type: 'keys.changed' } | { type: 'table.damaged' } | RoundEnded<'look', KeysCheck> | RoundEnded<'silence', number>,
      output: {} as End,
    },
    actors: {
      keysChanges: fromCallback(({ sendBack }) => {
        const stopTree = tree.onContent(() => {
          if (digestNow() !== seenDigest) sendBack({ type: 'keys.changed' })
        })
        const stopConfirmations = agents.master.confirmations.add(() => sendBack({ type: 'keys.changed' }))
        return () => {
          stopTree()
          stopConfirmations()
        }
      }),
      damage: fromCallback(({ sendBack }) => agents.store.damages.add(() => sendBack({ type: 'table.damaged' }))),
      open: fromPromise<OpenedStore>(() => agents.open()),
      look: rounds('look', (_: undefined, signal) => {
        seenDigest = digestNow()
        return agents.check(signal)
      }),
      silence: rounds('silence', () => agents.silence()),
    },
    guards: {
      isCrash: ({ event }) => crashIn(event) !== undefined,
      isLasting: ({ event }) => !errorOf(event).retryable,
      isWanted: ({ context }) => context.wanted,
      isOpenedLately: ({ context }) => clock.monotonicMs() < context.openedMs + checkIntervalMs,
      isSilenceDue: ({ context }) => clock.monotonicMs() >= context.silenceAtMs,
    },
    actions: {
      logOpened: (_, { earlier, setAside }: OpenedStore) => {
        if (setAside !== undefined) log.error(setAside)
        if (earlier) log[earlier.level](earlier.says)
      },
      noteOpened: assign({ openedMs: () => clock.monotonicMs() }),
      startLook: assign({ startMs: () => clock.monotonicMs(), wanted: false }),
      look: sendTo('look', roundWanted(undefined)),
      logLook: ({ context }, look: KeysCheck) => {
        for (const problem of look.problems) log.warning(problem)
        const took = logSeconds(clock.monotonicMs() - context.startMs)
        const updates = look.isFirst ? '' : `${look.changed} new or changed, `
        const says = `Read ${counted(look.agents, 'agent')} of client.keys in ${took}: ${updates}${look.removed} removed.`
        if (look.isFirst || look.changed + look.removed > 0) log.info(says)
        else log.debug(says)
      },
      noteLook: assign({
        lookAtMs: (_, { againInMs = checkIntervalMs }: KeysCheck) => clock.monotonicMs() + Math.min(againInMs, checkIntervalMs),
        failure: undefined,
      }),
      planLook: assign({ lookAtMs: () => clock.monotonicMs() + checkIntervalMs }),
      noteWanted: assign({ wanted: true }),
      silence: sendTo('silence', roundWanted(undefined)),
      logSilenced: (_, silenced: number) => {
        if (silenced > 0) log.info(`${counted(silenced, 'agent')} silent for too long, now disconnected.`)
      },
      planSilence: assign({ silenceAtMs: () => clock.monotonicMs() + silenceIntervalMs }),
      logFailure: ({ context, event }) => {
        const { message } = errorOf(event)
        if (message !== context.failure) log.error(`The agents could not be brought up to date: ${fullStop(message)} Retrying.`)
      },
      noteFailure: assign({ failure: ({ event }) => errorOf(event).message }),
      giveUpTable: () => {
        log.error(`${agents.store.damage}.`)
        agents.giveUpTable()
      },
      keepError: assign({ error: ({ event }) => errorOf(event) }),
    },
    delays: {
      retry: checkIntervalMs,
      rest: ({ context }) => Math.max(0, Math.min(context.lookAtMs, context.silenceAtMs) - clock.monotonicMs()),
    },
  }).createMachine({
    id: 'localAgents',
    options: machineOptions,
    context: () => ({
      openedMs: 0,
      startMs: 0,
      lookAtMs: 0,
      silenceAtMs: clock.monotonicMs() + silenceGraceMs,
      wanted: false,
      failure: undefined,
      error: undefined,
    }),
    initial: 'opening',
    states: {
      opening: {
        invoke: {
          src: 'open',
          onDone: { target: 'upkeep', actions: [{ type: 'logOpened', params: ({ event }) => event.output }, 'noteOpened'] },
          onError: [
            // A table that cannot be used at all, such as one of a newer version, needs an operator.
            { guard: 'isLasting', target: 'ended', actions: 'keepError' },
            { target: 'locked', actions: ['logFailure', 'noteFailure'] },
          ],
        },
      },
      locked: { after: { retry: 'opening' } },
      upkeep: {
        invoke: [{ src: 'keysChanges' }, { src: 'damage' }, { src: 'look', id: 'look' }, { src: 'silence', id: 'silence' }],
        on: {
          'keys.changed': { actions: 'noteWanted' },
          'table.damaged': [
            { guard: 'isOpenedLately', target: 'locked', actions: 'giveUpTable' },
            { target: 'opening', actions: 'giveUpTable' },
          ],
        },
        initial: 'looking',
        states: {
          looking: {
            entry: ['startLook', 'look'],
            on: {
              'look.done': {
                target: 'resting',
                actions: [
                  { type: 'logLook', params: ({ event }) => event.output },
                  { type: 'noteLook', params: ({ event }) => event.output },
                ],
              },
              'look.failed': [
                { guard: 'isCrash', target: '#localAgents.ended', actions: 'keepError' },
                { target: 'resting', actions: ['logFailure', 'noteFailure', 'planLook'] },
              ],
            },
          },
          silencing: {
            entry: ['planSilence', 'silence'],
            on: {
              'silence.done': { target: 'resting', actions: { type: 'logSilenced', params: ({ event }) => event.output } },
              'silence.failed': [
                { guard: 'isCrash', target: '#localAgents.ended', actions: 'keepError' },
                { target: 'resting', actions: ['logFailure', 'noteFailure'] },
              ],
            },
          },
          resting: {
            always: [
              { guard: 'isWanted', target: 'looking' },
              { guard: 'isSilenceDue', target: 'silencing' },
            ],
            on: { 'keys.changed': 'looking' },
            after: { rest: [{ guard: 'isSilenceDue', target: 'silencing' }, { target: 'looking' }] },
          },
        },
      },
      ended: { type: 'final' },
    },
    output: ({ context }): End => {
      const error = context.error ?? new ClusterError('threadCrashed')
      return { kind: isCrash(error) ? 'crashed' : 'closed', error }
    },
  })
}
