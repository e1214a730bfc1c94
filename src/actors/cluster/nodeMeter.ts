/** What a node counts of itself while it runs, where it happens: each count is one addition, so every node can afford it. */
import type { ClusterError } from '../../base/errors.js'
import { Tally } from '../../base/tally.js'
import { Durations } from '../../domain/cluster/monitoring/durations.js'
import { LastLines } from '../../domain/cluster/monitoring/lastLines.js'
import type { NodeFigures } from '../../domain/cluster/nodeFigures.js'
import type { Outcome } from '../files/integritySync.js'
import type { LocalTree } from '../files/localTree.js'
import { Signal } from '../kit/signal.js'
import type { OnRestart } from '../kit/supervised.js'

/** What it counted, as a node's figures have it. */
export type MeterFigures = Pick<
  NodeFigures,
  | 'diskFull'
  | 'editsUndone'
  | 'filesApplied'
  | 'inSyncMs'
  | 'integrityChecks'
  | 'logLines'
  | 'refusals'
  | 'scanSeconds'
  | 'syncs'
  | 'threadRestarts'
  | 'watcherOverflows'
>

export class NodeMeter {
  readonly checks = new Durations()
  readonly syncs = new Durations()
  readonly logLines = new Tally()
  readonly lastLines = new LastLines()
  /** Connections that were refused, by the reason. */
  readonly refusals = new Tally()
  /** A thread has crashed and is started again. */
  readonly restarted = new Signal<{ readonly thread: string; readonly error: ClusterError }>()
  readonly #restarts = new Tally()
  readonly #applied = { created: 0, updated: 0, deleted: 0 }
  #editsUndone = 0
  #watcherOverflows = 0
  #scanSeconds: number | undefined
  #inSyncMs: number | undefined
  #diskFull = false

  /** On a worker: notes when its tree is the master's. */
  follow(tree: LocalTree, now: () => number): void {
    tree.agreed.add(() => {
      this.#inSyncMs = now()
      this.#diskFull = false
    })
  }

  readonly threadRestarted: OnRestart = (thread, error) => {
    this.#restarts.add(thread)
    this.restarted.emit({ thread, error })
  }

  readonly scanned = (tookMs: number): void => {
    this.#scanSeconds = tookMs / 1_000
  }

  readonly watcherOverflowed = (): void => {
    this.#watcherOverflows += 1
  }

  /** A plan was carried out here. */
  applied({ created, failures, removed, undone, updated }: Outcome, tookMs: number): void {
    this.syncs.add(tookMs)
    this.#applied.created += created
    this.#applied.updated += updated
    this.#applied.deleted += removed
    this.#editsUndone += undone.size
    this.#diskFull = failures.some(({ code }) => code === 'diskFull')
  }

  get figures(): MeterFigures {
    return {
      diskFull: this.#diskFull,
      editsUndone: this.#editsUndone,
      filesApplied: { ...this.#applied },
      inSyncMs: this.#inSyncMs,
      integrityChecks: this.checks.figures,
      logLines: this.logLines.figures,
      refusals: this.refusals.figures,
      scanSeconds: this.#scanSeconds,
      syncs: this.syncs.figures,
      threadRestarts: this.#restarts.figures,
      watcherOverflows: this.#watcherOverflows,
    }
  }
}
