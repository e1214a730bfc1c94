/**
 * Local integrity: keeps a node's manifest true. It looks at the whole tree at intervals, which is the truth, and at
 * single files when the watcher hints that they changed, which is fast. Once per node, on master and workers alike.
 */
import { assign, fromCallback, sendTo, setup } from 'xstate'
import { asClusterError, ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import type { Clock, Log } from '../../ports/machine.js'
import { type End, machineOptions } from '../kit/host.js'
import { type RoundEnded, rounds, roundWanted } from '../kit/rounds.js'
import { crashIn, errorOf } from '../kit/thrownError.js'
import type { LocalTree, TreeScan } from './localTree.js'

export interface LocalIntegrityOptions {
  readonly tree: LocalTree
  readonly clock: Clock
  readonly intervalMs: number
  readonly log: Log
}

/** Hinted paths beyond this many are looked at by one look at everything. */
const hintedPathsMax = 10_000

interface Watch {
  readonly startMs: number
  /** When the whole tree has to be looked at again, however many hints come in between. */
  readonly everythingAtMs: number
  /** Paths to look at next, or everything. Hints are added in place: there may be thousands, and copying for each would stall. */
  readonly due: Set<string> | 'everything'
  /** What the look under way covers. */
  readonly under: ReadonlySet<string> | 'everything'
  readonly look: TreeScan | undefined
  readonly crash: ClusterError | undefined
}

type Hint = { type: 'tree.hint'; paths: readonly string[] | undefined }

const withHint = (due: Watch['due'], hint: Hint): Watch['due'] => {
  if (due === 'everything' || hint.paths === undefined || due.size + hint.paths.length > hintedPathsMax) return 'everything'
  for (const path of hint.paths) due.add(path)
  return due
}

export const localIntegrity = ({ tree, clock, intervalMs, log }: LocalIntegrityOptions) =>
  setup({
    types: {
      context: {} as Watch,
      events: {} as Hint | { type: 'watch.failed'; error: ClusterError } | RoundEnded<'look', TreeScan>,
      output: {} as End,
    },
    actors: {
      watching: fromCallback(({ sendBack }) => {
        let stopped = false
        const hint = (paths: readonly string[] | undefined): void => {
          if (!stopped) sendBack({ type: 'tree.hint', paths })
        }
        const stopHints = tree.onHint(hint)
        const watch = tree.files.watch(hint)
        watch.catch((thrown: unknown) => {
          if (!stopped) sendBack({ type: 'watch.failed', error: asClusterError(thrown, 'fileFailed') })
        })
        return () => {
          stopped = true
          stopHints()
          void watch.then((open) => open.close()).catch(() => undefined)
        }
      }),
      look: rounds('look', (under: Watch['under'], signal) => tree.scan(under === 'everything' ? undefined : [...under], signal)),
    },
    guards: {
      isDue: ({ context }) => context.due === 'everything' || context.due.size > 0,
      isCrash: ({ context }) => context.crash !== undefined,
    },
    actions: {
      // Under a constant stream of hints there is no rest in which the interval could pass: so it is looked at here, too.
      startLook: assign({
        under: ({ context }) => (clock.monotonicMs() >= context.everythingAtMs ? 'everything' : context.due),
        due: () => new Set<string>(),
        startMs: () => clock.monotonicMs(),
      }),
      look: sendTo('look', ({ context }) => roundWanted(context.under)),
      noteLook: assign({
        look: (_, look: TreeScan) => look,
        everythingAtMs: ({ context }) => (context.under === 'everything' ? clock.monotonicMs() + intervalMs : context.everythingAtMs),
      }),
      wantEverything: assign({ due: 'everything' }),
      logStart: ({ context }) => {
        if (context.under === 'everything') log.info('Starting.')
      },
      logLook: ({ context: { look, under, startMs } }) => {
        if (!look) return
        for (const { path, message } of look.problems) log.warning(`${message} ('${path}')`)
        for (const line of look.lines) log.debug(line)
        const took = `Finished in ${logSeconds(clock.monotonicMs() - startMs)}.`
        if (under === 'everything') log.info(`${took} Calculated metadata of ${look.files} files.`)
        else if (look.changed) log.debug(`${took} Calculated metadata of ${under.size} changed files.`)
      },
      logFailure: ({ event }) =>
        log.error(`The synced files could not be scanned: ${fullStop(errorOf(event).message)} Trying again in ${intervalMs / 1000} s.`),
      noteFailure: assign({ crash: ({ event }) => crashIn(event) }),
      logNoWatch: ({ event }) =>
        log.warning(`File changes cannot be watched, so they are noticed within ${intervalMs / 1000} s only: ${errorOf(event).message}`),
    },
    delays: { untilEverything: ({ context }) => Math.max(0, context.everythingAtMs - clock.monotonicMs()), retry: intervalMs },
  }).createMachine({
    id: 'localIntegrity',
    options: machineOptions,
    context: { startMs: 0, everythingAtMs: 0, due: 'everything', under: 'everything', look: undefined, crash: undefined },
    invoke: [{ src: 'watching' }, { src: 'look', id: 'look' }],
    on: {
      'tree.hint': { actions: assign({ due: ({ context, event }) => withHint(context.due, event) }) },
      'watch.failed': { actions: 'logNoWatch' },
    },
    initial: 'looking',
    states: {
      looking: {
        entry: ['startLook', 'logStart', 'look'],
        on: {
          'look.done': { target: 'resting', actions: [{ type: 'noteLook', params: ({ event }) => event.output }, 'logLook'] },
          'look.failed': { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      troubled: { always: [{ guard: 'isCrash', target: 'crashed' }], after: { retry: { target: 'looking', actions: 'wantEverything' } } },
      resting: {
        always: { guard: 'isDue', target: 'looking' },
        after: { untilEverything: { target: 'looking', actions: 'wantEverything' } },
      },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => ({ kind: 'crashed', error: context.crash ?? new ClusterError('threadCrashed') }),
  })
