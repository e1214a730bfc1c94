/**
 * Integrity, both ends. The worker checks its tree against the master's, at intervals and whenever either tree has changed,
 * and makes it the same; the master answers and tells its workers of changes. Once per connection, in its own boundary.
 */
import { assign, fromCallback, fromPromise, sendTo, setup } from 'xstate'
import { counted } from '../../base/counted.js'
import type { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { logSeconds } from '../../base/logText.js'
import { splitPaths } from '../../domain/files/entryColumns.js'
import { appliedLines } from '../../domain/files/fileLines.js'
import { emptyPlan, isEmptyPlan, type SyncPlan } from '../../domain/files/syncPlan.js'
import { type FileFailure, isPassing } from '../../domain/files/treeValues.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import { type End, machineOptions } from '../kit/host.js'
import { type RoundEnded, rounds, roundWanted } from '../kit/rounds.js'
import { RunningAnswers } from '../kit/runningAnswers.js'
import type { ServingInput } from '../kit/servingThread.js'
import { crashIn, errorOf } from '../kit/thrownError.js'
import { type IntegrityAnswersInput, type IntegrityAnswersOptions, integrityAnswers } from './integrityAnswers.js'
import { changesCapability, type IntegritySync, type Outcome, type Transferred } from './integritySync.js'
import type { LocalTree } from './localTree.js'

// ------------------------------------------------------------------------------------------------------- worker's end

export interface IntegrityApplyOptions {
  readonly sync: IntegritySync
  readonly tree: LocalTree
  readonly clock: Clock
  readonly intervalMs: number
  /** Called once per applied plan that changed files under an item with `reload`. */
  readonly onApplied: (plan: SyncPlan, outcome: Outcome) => void
}

export interface IntegrityApplyInput {
  readonly link: Link
  readonly log: Log
}

interface Round extends IntegrityApplyInput {
  readonly checkLog: Log
  readonly syncLog: Log
  readonly startMs: number
  readonly plan: SyncPlan
  readonly transferred: Transferred
  readonly outcome: Outcome
  /** A change came in while the round was under way. */
  readonly wanted: boolean
  /** The plan was applied: one more check should find the trees the same. */
  readonly proofWanted: boolean
  /** This round is that check, and nothing else asked for it. */
  readonly isProof: boolean
  readonly crash: ClusterError | undefined
  readonly failed: boolean
  /** Failures of the plan before, as the log has them. */
  readonly told: ReadonlySet<string>
  /** The log has it that the master refuses this node's items. */
  readonly toldRefusal: string | undefined
}

const nothingTransferred: Transferred = { steps: [], failures: [] }
const nothingDone: Outcome = { created: 0, updated: 0, removed: 0, failures: [], undone: new Set() }

export const integrityApply = ({ sync, tree, clock, intervalMs, onApplied }: IntegrityApplyOptions) =>
  setup({
    types: {
      context: {} as Round,
      input: {} as IntegrityApplyInput,
      events: {} as { type: 'check.wanted' } | RoundEnded<'check', boolean>,
      output: {} as End,
    },
    actors: {
      changes: fromCallback<{ type: 'none' }, Link>(({ input: link, sendBack }) => {
        const wantCheck = (): void => sendBack({ type: 'check.wanted' })
        const stopTree = tree.onChanged(wantCheck)
        const stopLink = link.subscribe({
          'integrity.changed': (notice) => {
            sync.announce(link, notice)
            wantCheck()
          },
        })
        return () => {
          stopTree()
          stopLink()
        }
      }),
      check: rounds('check', (link: Link, signal) => sync.check(link, signal)),
      plan: fromPromise<SyncPlan, Link>(({ input: link, signal }) => sync.plan(link, signal)),
      transfer: fromPromise<Transferred, { link: Link; plan: SyncPlan }>(({ input, signal }) =>
        sync.transfer(input.link, input.plan, signal),
      ),
      apply: fromPromise<Outcome, { plan: SyncPlan; transferred: Transferred }>(({ input, signal }) =>
        sync.apply(input.plan, input.transferred, signal),
      ),
      report: fromPromise<boolean, { link: Link; outcome: Outcome; tookMs: number }>(({ input, signal }) =>
        sync.report(input.link, input.outcome, input.tookMs, signal),
      ),
    },
    guards: {
      isSame: (_, same: boolean) => same,
      nothingToDo: ({ context }) => isEmptyPlan(context.plan),
      isCheckWanted: ({ context }) => (context.wanted || context.proofWanted) && !context.failed,
      isCrash: ({ context }) => context.crash !== undefined,
    },
    actions: {
      startRound: assign({
        startMs: () => clock.monotonicMs(),
        isProof: ({ context }) => context.proofWanted && !context.wanted,
        proofWanted: false,
        wanted: false,
        failed: false,
        plan: emptyPlan,
        transferred: nothingTransferred,
        outcome: nothingDone,
      }),
      check: sendTo('check', ({ context }) => roundWanted(context.link)),
      logCheckStart: ({ context }) => context.checkLog.info('Starting.'),
      logCheckEnd: ({ context }, same: boolean) =>
        context.checkLog.info(`Finished in ${logSeconds(clock.monotonicMs() - context.startMs)}. Sync ${same ? 'not ' : ''}required.`),
      logPlan: ({ context: { plan, syncLog } }) => {
        syncLog.info('Starting.')
        syncLog.info(
          `Files to create: ${plan.create.length} | Files to update: ${plan.update.length} | Files to delete: ${plan.remove.length}`,
        )
      },
      // Both as Wazuh writes them.
      logReceived: ({ context: { plan, syncLog } }) => {
        if (plan.create.length > 0) syncLog.debug(`Received ${plan.create.length} missing files to update from master.`)
        if (plan.update.length > 0) syncLog.debug(`Received ${plan.update.length} shared files to update from master.`)
      },
      logOutcome: ({ context: { outcome, plan, startMs, syncLog, told } }) => {
        for (const line of appliedLines(plan, outcome.failures, outcome.undone)) syncLog.debug(line)
        // What failed before in the same way is tried again at each check, but not told again.
        const untold = outcome.failures.filter((failure) => !told.has(failureText(failure)))
        for (const failure of untold.slice(0, failuresLoggedMax)) {
          if (isPassing(failure)) syncLog.info(failureText(failure))
          else syncLog.error(failureText(failure))
        }
        if (untold.length > failuresLoggedMax)
          syncLog.error(`${counted(untold.length - failuresLoggedMax, 'more file')} could not be synced.`)
        syncLog.info(`Finished in ${logSeconds(clock.monotonicMs() - startMs)}.`)
      },
      noteTold: assign({ told: ({ context }) => new Set(context.outcome.failures.map(failureText)) }),
      tellApplied: ({ context }) => onApplied(context.plan, context.outcome),
      // After a plan the trees should be the same, and the master may have said so: otherwise one more check proves it. After a failure
      // that is no edit in the middle the interval decides, and so it does when the proof failed: a disk that does not keep modes would
      // be written to for ever.
      wantProof: assign({
        proofWanted: ({ context }, isProven: boolean) => !isProven && !context.isProof,
        failed: ({ context }) => context.outcome.failures.some((failure) => !isPassing(failure)),
      }),
      noteWanted: assign({ wanted: true }),
      logFailure: ({ context, event }) => {
        const error = errorOf(event)
        // What is refused until somebody changes the configuration is tried at each interval, and said once.
        if (error.code === 'itemsDiffer' && error.message === context.toldRefusal) return
        context.syncLog.error(`The integrity check could not be finished: ${error.message}`)
      },
      noteFailure: assign({
        failed: true,
        crash: ({ event }) => crashIn(event),
        toldRefusal: ({ context, event }) => (errorOf(event).code === 'itemsDiffer' ? errorOf(event).message : context.toldRefusal),
      }),
    },
    delays: { interval: intervalMs },
  }).createMachine({
    id: 'integrity',
    options: machineOptions,
    context: ({ input }) => ({
      ...input,
      checkLog: input.log.at({ subtag: 'Integrity check' }),
      syncLog: input.log.at({ subtag: 'Integrity sync' }),
      startMs: 0,
      plan: emptyPlan,
      transferred: nothingTransferred,
      outcome: nothingDone,
      wanted: false,
      proofWanted: false,
      isProof: false,
      crash: undefined,
      failed: false,
      told: new Set(),
      toldRefusal: undefined,
    }),
    invoke: [
      { src: 'changes', input: ({ context }) => context.link },
      { src: 'check', id: 'check' },
    ],
    on: { 'check.wanted': { actions: 'noteWanted' } },
    initial: 'checking',
    states: {
      checking: {
        entry: ['startRound', 'logCheckStart', 'check'],
        on: {
          'check.done': [
            {
              guard: { type: 'isSame', params: ({ event }) => event.output },
              target: 'resting',
              actions: { type: 'logCheckEnd', params: true },
            },
            { target: 'planning', actions: { type: 'logCheckEnd', params: false } },
          ],
          'check.failed': { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      planning: {
        invoke: {
          src: 'plan',
          input: ({ context }) => context.link,
          onDone: { target: 'planned', actions: assign({ plan: ({ event }) => event.output }) },
          onError: { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      planned: {
        always: [
          { guard: 'nothingToDo', target: 'resting' },
          { target: 'transferring', actions: 'logPlan' },
        ],
      },
      transferring: {
        invoke: {
          src: 'transfer',
          input: ({ context }) => ({ link: context.link, plan: context.plan }),
          onDone: { target: 'applying', actions: [assign({ transferred: ({ event }) => event.output }), 'logReceived'] },
          onError: { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      applying: {
        invoke: {
          src: 'apply',
          input: ({ context }) => ({ plan: context.plan, transferred: context.transferred }),
          onDone: {
            target: 'reporting',
            actions: [assign({ outcome: ({ event }) => event.output }), 'logOutcome', 'noteTold', 'tellApplied'],
          },
          onError: { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      reporting: {
        invoke: {
          src: 'report',
          input: ({ context }) => ({ link: context.link, outcome: context.outcome, tookMs: clock.monotonicMs() - context.startMs }),
          onDone: { target: 'resting', actions: { type: 'wantProof', params: ({ event }) => event.output } },
          onError: { target: 'troubled', actions: ['logFailure', 'noteFailure'] },
        },
      },
      troubled: { always: [{ guard: 'isCrash', target: 'crashed' }, { target: 'resting' }] },
      resting: {
        always: { guard: 'isCheckWanted', target: 'checking' },
        on: { 'check.wanted': 'checking' },
        after: { interval: 'checking' },
      },
      crashed: { type: 'final' },
    },
    output: ({ context }): End => (context.crash ? { kind: 'crashed', error: context.crash } : { kind: 'closed' }),
  })

const failureText = ({ path, message }: FileFailure): string => `Could not sync '${path}': ${message}`

/** Failures that a log names one by one; the master and cluster_control -f have them all. */
const failuresLoggedMax = 20

// ------------------------------------------------------------------------------------------------------- master's end

/** Tells a worker that the master's tree has changed, and what has changed when it knows what to do with it. */
const announce = ({ notice }: LocalTree, { link, state }: IntegrityAnswersInput): void => {
  const { root } = notice
  if (!link.peer.capabilities.includes(changesCapability)) {
    link.notify('integrity.changed', { root })
    return
  }
  link.notify('integrity.changed', notice)
  if (notice.since) state.announced([...splitPaths(notice.entries?.paths ?? ''), ...splitPaths(notice.removed ?? '')])
}

/** Answers one worker's questions, and tells it when the master's tree has changed. */
export const integrityServeInput = (options: IntegrityAnswersOptions, input: IntegrityAnswersInput): ServingInput => {
  const transfers = new RunningAnswers('transfers', limits.fetchesPerWorkerMax)
  return {
    link: input.link,
    answers: (thread) => integrityAnswers(options, { ...input, transfers }, thread),
    alongside: () => options.tree.onChanged(() => announce(options.tree, input)),
  }
}
