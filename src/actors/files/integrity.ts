/**
 * Integrity, both ends. The worker checks its tree against the master's, at intervals and whenever either tree has changed,
 * and makes it the same; the master answers and announces changes to its workers. Once per connection, in its own boundary.
 */
import { counted } from '../../base/counted.js'
import type { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { logSeconds } from '../../base/logText.js'
import { addApplied, FileLines } from '../../domain/files/fileLines.js'
import { emptyPlan, isEmptyPlan } from '../../domain/files/syncPlan.js'
import { type FileFailure, isPassing } from '../../domain/files/treeValues.js'
import type { Link } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import { periodicThread, type Round } from '../kit/periodicThread.js'
import { RunningAnswers } from '../kit/runningAnswers.js'
import type { ServingInput } from '../kit/servingThread.js'
import { Turns } from '../kit/turns.js'
import { changesCapability, contentsCapability } from './announcedChange.js'
import { type IntegrityAnswersInput, type IntegrityAnswersOptions, integrityAnswers } from './integrityAnswers.js'
import type { IntegritySync, Outcome, Transferred } from './integritySync.js'
import type { LocalTree } from './localTree.js'
import { SyncReports } from './syncReports.js'

// ------------------------------------------------------------------------------------------------------- worker's end

export interface IntegrityApplyOptions {
  readonly sync: IntegritySync
  readonly tree: LocalTree
  readonly clock: Clock
  readonly intervalMs: number
  /** Called once for each check, and once for each plan that was carried out. */
  readonly onChecked?: (tookMs: number, same: boolean) => void
  readonly onApplied: (outcome: Outcome, tookMs: number) => void
}

export interface IntegrityApplyInput {
  readonly link: Link
  readonly log: Log
}

const nothingTransferred: Transferred = { steps: [], failures: [], undone: new Set(), isCarriedOut: false }

/** The steps of one worker's rounds over one link, and what they leave to one another. */
class IntegrityRounds {
  readonly #options: IntegrityApplyOptions
  readonly link: Link
  readonly #checkLog: Log
  readonly #syncLog: Log
  #plan = emptyPlan
  #transferred = nothingTransferred
  /** The round before applied a plan, and asked for this one: the trees should be the same now. */
  #isProofDue = false
  /** This round is that proof, and nothing else asked for it. */
  #isProof = false
  /** Failures of the plan before, as the log has them. */
  #logged: ReadonlySet<string> = new Set()
  /** The log has it that the master refuses this node's items. */
  #loggedRefusal: string | undefined

  constructor(options: IntegrityApplyOptions, { link, log }: IntegrityApplyInput) {
    this.#options = options
    this.link = link
    this.#checkLog = log.at({ subtag: 'Integrity check' })
    this.#syncLog = log.at({ subtag: 'Integrity sync' })
  }

  async check({ isWoken, signal, startMs }: Round): Promise<'done' | 'planning'> {
    const { clock, onChecked, sync } = this.#options
    this.#isProof = this.#isProofDue && !isWoken
    this.#isProofDue = false
    this.#checkLog.info('Starting.') // as Wazuh writes it
    const same = await sync.check(this.link, signal)
    const tookMs = clock.monotonicMs() - startMs
    onChecked?.(tookMs, same)
    // As Wazuh writes it.
    this.#checkLog.info(`Finished in ${logSeconds(tookMs)}. Sync ${same ? 'not ' : ''}required.`)
    return same ? 'done' : 'planning'
  }

  async plan({ signal }: Round): Promise<'done' | 'transferring'> {
    const plan = await this.#options.sync.plan(this.link, signal)
    if (isEmptyPlan(plan)) return 'done'
    this.#plan = plan
    const { create, remove, update } = plan
    this.#syncLog.info('Starting.') // as Wazuh writes it
    // As Wazuh writes it.
    this.#syncLog.info(`Files to create: ${create.length} | Files to update: ${update.length} | Files to delete: ${remove.length}`)
    return 'transferring'
  }

  async transfer({ signal }: Round): Promise<'applying'> {
    const { create, update } = this.#plan
    this.#transferred = await this.#options.sync.transfer(this.link, this.#plan, signal)
    // Both as Wazuh writes them.
    if (create.length > 0) this.#syncLog.debug(`Received ${create.length} missing files to update from master.`)
    if (update.length > 0) this.#syncLog.debug(`Received ${update.length} shared files to update from master.`)
    return 'applying'
  }

  async apply({ signal, startMs }: Round): Promise<'done' | 'again' | 'failed'> {
    const { clock, onApplied, sync } = this.#options
    const [plan, transferred] = [this.#plan, this.#transferred]
    // They may be large, and the next round makes its own.
    this.#plan = emptyPlan
    this.#transferred = nothingTransferred
    const outcome = await sync.apply(plan, transferred, signal)
    const tookMs = clock.monotonicMs() - startMs
    // At once: what the manager has to read again must not be lost when this round ends early.
    onApplied(outcome, tookMs)
    const turns = new Turns(clock, signal)
    const files = new FileLines()
    for (const _ of addApplied(files, plan, outcome.failures, outcome.undone)) if (turns.isOver()) await turns.next()
    for (const line of files.lines) this.#syncLog.debug(line)
    this.#logFailures(outcome.failures)
    this.#syncLog.info(`Finished in ${logSeconds(tookMs)}.`) // as Wazuh writes it
    const isProven = await sync.report(this.link, outcome, tookMs, signal)
    // After a failure that is no edit in the middle the interval decides.
    if (outcome.failures.some((failure) => !isPassing(failure))) return 'failed'
    // After a plan the trees should be the same, and the master may have said so: otherwise one more check proves it. When the proof
    // failed the interval decides too: a disk that does not keep modes would be written to for ever.
    if (isProven || this.#isProof) return 'done'
    this.#isProofDue = true
    return 'again'
  }

  logFailure({ code, message }: ClusterError): void {
    // What is refused until somebody changes the configuration is tried at each interval, and logged once.
    const isRefusal = code === 'itemsDiffer' || code === 'tooLarge'
    if (isRefusal && message === this.#loggedRefusal) return
    if (isRefusal) this.#loggedRefusal = message
    this.#syncLog.error(`The integrity check could not be finished: ${message}`)
  }

  /** What failed before in the same way is tried again at each check, but not logged again. */
  #logFailures(failures: readonly FileFailure[]): void {
    const unlogged = failures.filter((failure) => !this.#logged.has(failureText(failure)))
    for (const failure of unlogged.slice(0, failuresLoggedMax)) {
      if (isPassing(failure)) this.#syncLog.info(failureText(failure))
      else this.#syncLog.error(failureText(failure))
    }
    if (unlogged.length > failuresLoggedMax)
      this.#syncLog.error(`${counted(unlogged.length - failuresLoggedMax, 'more file')} could not be synced.`)
    this.#logged = new Set(failures.map(failureText))
  }
}

export const integrityApply = (options: IntegrityApplyOptions) =>
  periodicThread({
    id: 'integrity',
    clock: options.clock,
    everyMs: options.intervalMs,
    begin: (input: IntegrityApplyInput) => new IntegrityRounds(options, input),
    wakes: ({ link }, wake) => [
      options.tree.onChanged(wake),
      link.subscribe({
        'integrity.changed': (notice) => {
          options.sync.announce(link, notice)
          wake()
        },
      }),
    ],
    initial: 'checking',
    steps: {
      checking: (rounds, round) => rounds.check(round),
      planning: (rounds, round) => rounds.plan(round),
      transferring: (rounds, round) => rounds.transfer(round),
      applying: (rounds, round) => rounds.apply(round),
    },
    onFailure: (rounds, error) => rounds.logFailure(error),
    onState: (_, state) => {
      options.sync.state = state
    },
  })

const failureText = ({ path, message }: FileFailure): string => `Could not sync '${path}': ${message}`

/** Failures that a log names one by one; the master and cluster_control -f have them all. */
const failuresLoggedMax = 20

// ------------------------------------------------------------------------------------------------------- master's end

/** Announces to a worker that the master's tree has changed, and what has changed when the worker can use that. */
const announce = async (tree: LocalTree, { link, state }: IntegrityAnswersInput): Promise<void> => {
  const announcement = tree.announcements.since(state.sameRoot)
  const { notice, paths } = announcement
  const { capabilities } = link.peer
  if (!capabilities.includes(changesCapability)) {
    link.notify('integrity.changed', { root: notice.root })
    return
  }
  state.announced(paths)
  const whole = capabilities.includes(contentsCapability) ? await announcement.withContent() : notice
  // What has changed again meanwhile is announced by that change.
  if (announcement.isLast) link.notify('integrity.changed', whole)
}

/** Answers one worker's questions, takes its reports, and notifies it when the master's tree has changed. */
export const integrityServeInput = (options: IntegrityAnswersOptions, input: IntegrityAnswersInput): ServingInput => {
  const { clock, served, tree } = options
  const { link, log, state } = input
  const transfers = new RunningAnswers('transfers', limits.fetchesPerWorkerMax)
  const reports = new SyncReports({ tree, clock, state, log, onApplied: (report) => served?.applied(report) })
  return {
    link,
    answers: (thread) => integrityAnswers(options, { ...input, reports, transfers }, thread),
    alongside: () => {
      const stopReports = link.subscribe({
        'integrity.applied': (done) => {
          reports.take({ ...done, phase: 'applied', failures: [], failuresLeftOut: 0 })
        },
      })
      const stopAnnouncing = tree.onChanged(() => void announce(tree, input))
      return () => {
        stopAnnouncing()
        stopReports()
      }
    },
  }
}
