/** What a worker reports of the plans that it carries out, on the master: for operators, for the log, and for those who count. */
import { counted } from '../../base/counted.js'
import { logSeconds } from '../../base/logText.js'
import type { WorkerState } from '../../domain/cluster/workerState.js'
import { diskWritesOf } from '../../domain/files/content/syncPace.js'
import { sameDigest } from '../../domain/files/manifest.js'
import { isPassing } from '../../domain/files/treeValues.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { ReplyBody, RequestBody } from '../../wire/muster/messages.js'
import type { LocalTree } from './localTree.js'

export type SyncReport = RequestBody<'integrity.report'>

export interface SyncReportsOptions {
  readonly tree: LocalTree
  readonly clock: Clock
  readonly state: WorkerState
  /** Tagged with the worker's name. */
  readonly log: Log
  onApplied(report: SyncReport): void
}

export class SyncReports {
  readonly #options: SyncReportsOptions
  readonly #log: Log
  /** Of the failures, as the log has them: the same ones are not logged again. */
  #loggedFailures = ''

  constructor(options: SyncReportsOptions) {
    this.#options = options
    this.#log = options.log.at({ subtag: 'Integrity sync' })
  }

  /** Says whether the trees are the same now, to a worker that asks. */
  take(report: SyncReport): ReplyBody<'integrity.report'> {
    const { clock, onApplied, state, tree } = this.#options
    if (report.phase === 'started') {
      state.sync.begin(clock.now())
      this.#logStart(report)
      return {}
    }
    // What was announced begins without a report.
    if (!state.sync.isUnderWay) this.#logStart(report)
    state.applied(report.failures, report.failuresLeftOut, diskWritesOf(report.diskWrites))
    state.sync.add({ missing: report.created, shared: report.updated, extra: report.removed })
    state.sync.end(clock.now(), report.tookMs)
    this.#log.info(`Finished in ${logSeconds(report.tookMs)}.`) // as Wazuh writes it
    onApplied(report)
    this.#logFailures(report)
    if (!report.root) return {}
    const root = tree.manifest.root()
    const same = sameDigest(report.root, root)
    if (same) state.checkedSame(clock.now(), root)
    return { same }
  }

  #logStart({ created, removed, updated }: SyncReport): void {
    this.#log.info('Starting.') // as Wazuh writes it
    // As Wazuh writes it.
    this.#log.info(`Files to create in worker: ${created} | Files to update in worker: ${updated} | Files to delete in worker: ${removed}`)
  }

  #logFailures({ failures, failuresLeftOut }: SyncReport): void {
    const lasting = failures.filter((failure) => !isPassing(failure))
    const [example] = lasting
    const says = example
      ? `${counted(lasting.length + failuresLeftOut, 'file')} could not be synced, among them '${example.path}': ${example.message}`
      : ''
    if (says !== '' && says !== this.#loggedFailures) this.#log.error(`${says} Retrying at each check; see cluster_control -f.`)
    this.#loggedFailures = says
  }
}
