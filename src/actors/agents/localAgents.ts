/**
 * Local agents: opens a node's table of agents, and again when it is damaged, and keeps it in line with client.keys and with time:
 * agents that are gone go, agents that are silent for too long are disconnected. It publishes the table's life (see tableLife). Once
 * per node, on master and workers alike.
 */
import { assign, fromCallback, fromPromise, not, sendTo, setup } from 'xstate'
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
import type { KeysCheck, KeysFound } from './localKeys.js'
import type { LocalAgents } from './nodeAgents.js'

export interface LocalAgentsThreadOptions {
  readonly agents: LocalAgents
  readonly tree: LocalTree
  readonly clock: Clock
  /** Rest between two checks of client.keys that nothing asks for. */
  readonly checkIntervalMs: number
  readonly log: Log
}

/** Rest between two searches for silent agents. */
const silenceIntervalMs = 10_000
/** A node that was down has to get reports of its workers and agents before it calls any of them silent. */
const silenceGraceMs = 60_000

interface Upkeep {
  readonly opened: OpenedStore
  readonly openedMs: number
  /** Of the last attempt to open the table, until one succeeds. */
  readonly openError: ClusterError | undefined
  /** Of client.keys as it was checked last; undefined before, and when there is none. */
  readonly checkedDigest: string | undefined
  /** Of the agents that were found in it. */
  readonly idsDigest: string
  /** When agents were found in it for the first time since the table was opened. */
  readonly readMs: number
  readonly startMs: number
  /** When client.keys is checked again. */
  readonly checkAtMs: number
  /** When silent agents are searched again; never where a real manager decides it. */
  readonly silenceAtMs: number
  /** client.keys changed while it was checked. */
  readonly wanted: boolean
  readonly failure: string | undefined
  readonly error: ClusterError | undefined
}

type Event =
  | { readonly type: 'tree.changed'; readonly keysDigest: string | undefined }
  | { readonly type: 'keys.confirmed' }
  | { readonly type: 'keys.found'; readonly found: KeysFound }
  | { readonly type: 'table.damaged'; readonly error: ClusterError }
  | RoundEnded<'check', KeysCheck>
  | RoundEnded<'silence', number>

const found = ({ event }: { readonly event: { readonly found: KeysFound } }): KeysFound => event.found
const output = <T>({ event }: { readonly event: { readonly output: T } }): T => event.output

const notOpened: OpenedStore = { table: '', groupsLost: false }

export const localAgents = ({ agents, clock, log, checkIntervalMs, tree }: LocalAgentsThreadOptions) => {
  const { keys, master, store, table } = agents
  const keysDigest = (): string | undefined => {
    const entry = tree.manifest.get(keysPath)
    return entry?.held ? 'held' : entry?.digest
  }
  return setup({
    types: { context: {} as Upkeep, events: {} as Event, output: {} as End },
    actors: {
      changes: fromCallback(({ sendBack }) => {
        const stops = [
          tree.onContent(() => sendBack({ type: 'tree.changed', keysDigest: keysDigest() })),
          master.confirmations.add(() => sendBack({ type: 'keys.confirmed' })),
          keys.found.changes.add(() => sendBack({ type: 'keys.found', found: keys.found.value })),
          store.onDamaged((error) => sendBack({ type: 'table.damaged', error })),
        ]
        return () => {
          for (const stop of stops) stop()
        }
      }),
      open: fromPromise<OpenedStore>(() => store.open()),
      check: rounds('check', (_: undefined, signal) => keys.check(signal)),
      silence: rounds('silence', () => agents.silence()),
    },
    guards: {
      isCrash: ({ event }) => crashIn(event) !== undefined,
      isLasting: ({ event }) => !errorOf(event).retryable,
      isWanted: ({ context }) => context.wanted,
      isOtherFile: ({ context }, digest: string | undefined) => digest !== context.checkedDigest,
      isTrusted: (_, found: KeysFound) => found.isTrusted,
      areOtherAgents: ({ context }, found: KeysFound) => found.idsDigest !== context.idsDigest,
      isOpenedLately: ({ context }) => clock.monotonicMs() < context.openedMs + checkIntervalMs,
      isSilenceDue: ({ context }) => clock.monotonicMs() >= context.silenceAtMs,
    },
    actions: {
      logOpened: (_, { earlier, setAside }: OpenedStore) => {
        if (setAside !== undefined) log.error(setAside)
        if (earlier) log[earlier.level](earlier.says)
      },
      publishNotOpen: ({ context }, state: 'opening' | 'unusable' | 'damaged') => table.publish({ state, error: context.openError }),
      publishUnread: ({ context: { opened } }) => table.publish({ state: 'unread', opened }),
      publishRead: ({ context: { idsDigest, opened, readMs } }, state: 'suspect' | 'trusted') => {
        table.publish({ state, opened, idsDigest, readMs })
        keys.changes.emit()
      },
      noteOpened: assign({ opened: (_, opened: OpenedStore) => opened, openedMs: () => clock.monotonicMs(), openError: undefined }),
      noteOpenError: assign({ openError: ({ event }) => errorOf(event) }),
      noteRead: assign({ readMs: () => clock.monotonicMs() }),
      noteFound: assign({ idsDigest: (_, found: KeysFound) => found.idsDigest }),
      startCheck: assign({ startMs: () => clock.monotonicMs(), checkedDigest: keysDigest, wanted: false }),
      check: sendTo('check', roundWanted(undefined)),
      logCheck: ({ context }, check: KeysCheck) => {
        for (const problem of check.problems) log.warning(problem)
        const took = logSeconds(clock.monotonicMs() - context.startMs)
        const updates = check.isFirst ? '' : `${check.changed} new or changed, `
        const says = `Read ${counted(check.agents, 'agent')} of client.keys in ${took}: ${updates}${check.removed} removed.`
        if (check.isFirst || check.changed + check.removed > 0) log.info(says)
        else log.debug(says)
      },
      noteCheck: assign({
        checkAtMs: (_, { againInMs = checkIntervalMs }: KeysCheck) => clock.monotonicMs() + Math.min(againInMs, checkIntervalMs),
        failure: undefined,
      }),
      planCheck: assign({ checkAtMs: () => clock.monotonicMs() + checkIntervalMs }),
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
      logDamage: (_, { message }: ClusterError) => log.error(`${message}.`),
      keepError: assign({ error: ({ event }) => errorOf(event) }),
    },
    delays: {
      retry: checkIntervalMs,
      rest: ({ context }) => Math.max(0, Math.min(context.checkAtMs, context.silenceAtMs) - clock.monotonicMs()),
    },
  }).createMachine({
    id: 'localAgents',
    options: machineOptions,
    context: () => ({
      opened: notOpened,
      openedMs: 0,
      openError: undefined,
      checkedDigest: undefined,
      idsDigest: '',
      readMs: 0,
      startMs: 0,
      checkAtMs: 0,
      silenceAtMs: agents.decidesSilence ? clock.monotonicMs() + silenceGraceMs : Number.POSITIVE_INFINITY,
      wanted: false,
      failure: undefined,
      error: undefined,
    }),
    initial: 'opening',
    states: {
      opening: {
        entry: { type: 'publishNotOpen', params: 'opening' },
        invoke: {
          src: 'open',
          onDone: {
            target: 'open',
            actions: [
              { type: 'logOpened', params: output },
              { type: 'noteOpened', params: output },
            ],
          },
          onError: [
            // A table that cannot be used at all, such as one of a newer version, needs an operator.
            {
              guard: 'isLasting',
              target: 'ended',
              actions: ['noteOpenError', { type: 'publishNotOpen', params: 'unusable' }, 'keepError'],
            },
            { target: 'unusable', actions: ['logFailure', 'noteFailure', 'noteOpenError'] },
          ],
        },
      },
      unusable: { entry: { type: 'publishNotOpen', params: 'unusable' }, after: { retry: 'opening' } },
      damaged: {
        entry: { type: 'publishNotOpen', params: 'damaged' },
        always: { guard: not('isOpenedLately'), target: 'opening' },
        after: { retry: 'opening' },
      },
      open: {
        invoke: [{ src: 'changes' }, { src: 'check', id: 'check' }, { src: 'silence', id: 'silence' }],
        on: { 'table.damaged': { target: 'damaged', actions: { type: 'logDamage', params: ({ event }) => event.error } } },
        type: 'parallel',
        states: {
          // What the table has of client.keys, for any caller of the check.
          agents: {
            initial: 'unread',
            states: {
              unread: {
                entry: 'publishUnread',
                on: {
                  'keys.found': [
                    {
                      guard: { type: 'isTrusted', params: found },
                      target: 'trusted',
                      actions: ['noteRead', { type: 'noteFound', params: found }],
                    },
                    { target: 'suspect', actions: ['noteRead', { type: 'noteFound', params: found }] },
                  ],
                },
              },
              suspect: {
                entry: { type: 'publishRead', params: 'suspect' },
                on: {
                  'keys.found': [
                    { guard: { type: 'isTrusted', params: found }, target: 'trusted', actions: { type: 'noteFound', params: found } },
                    {
                      guard: { type: 'areOtherAgents', params: found },
                      target: 'suspect',
                      reenter: true,
                      actions: { type: 'noteFound', params: found },
                    },
                  ],
                },
              },
              trusted: {
                entry: { type: 'publishRead', params: 'trusted' },
                on: {
                  'keys.found': {
                    guard: { type: 'areOtherAgents', params: found },
                    target: 'trusted',
                    reenter: true,
                    actions: { type: 'noteFound', params: found },
                  },
                },
              },
            },
          },
          upkeep: {
            on: {
              'tree.changed': { guard: { type: 'isOtherFile', params: ({ event }) => event.keysDigest }, actions: 'noteWanted' },
              'keys.confirmed': { actions: 'noteWanted' },
            },
            initial: 'checking',
            states: {
              checking: {
                entry: ['startCheck', 'check'],
                on: {
                  'check.done': {
                    target: 'resting',
                    actions: [
                      { type: 'logCheck', params: output },
                      { type: 'noteCheck', params: output },
                    ],
                  },
                  'check.failed': [
                    { guard: 'isCrash', target: '#localAgents.ended', actions: 'keepError' },
                    { target: 'resting', actions: ['logFailure', 'noteFailure', 'planCheck'] },
                  ],
                },
              },
              silencing: {
                entry: ['planSilence', 'silence'],
                on: {
                  'silence.done': { target: 'resting', actions: { type: 'logSilenced', params: output } },
                  'silence.failed': [
                    { guard: 'isCrash', target: '#localAgents.ended', actions: 'keepError' },
                    { target: 'resting', actions: ['logFailure', 'noteFailure'] },
                  ],
                },
              },
              resting: {
                always: [
                  { guard: 'isWanted', target: 'checking' },
                  { guard: 'isSilenceDue', target: 'silencing' },
                ],
                after: { rest: [{ guard: 'isSilenceDue', target: 'silencing' }, { target: 'checking' }] },
              },
            },
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
