/**
 * What the master knows of one worker: its last beat, the rounds that it made, the step of integrity that it is in, and for each file
 * that is not in sync why (rows of `<node> <file> <state>`; a file without a row is in sync).
 */

import { limits } from '../../base/limits.js'
import type { DiskWrites } from '../files/content/syncPace.js'
import type { IntegrityState } from '../files/integrityState.js'
import type { SyncPlan } from '../files/syncPlan.js'
import type { FileFailure } from '../files/treeValues.js'
import type { ListenerFigures } from './listenerFigures.js'
import { ServedRounds } from './servedRounds.js'

export interface FileState {
  readonly state: 'pending' | 'failed'
  readonly error?: { readonly code: string; readonly message: string }
}

/** What the worker's wazuh-analysisd said to a reload of its rules. */
export interface RulesetReport {
  readonly atMs: number
  /** False: the rules before are kept. */
  readonly isLoaded: boolean
  /** Warnings and errors. */
  readonly messages: readonly string[]
}

/** What a keep-alive says. */
export interface Beat {
  /** Milliseconds since 1970, by the master's clock. */
  readonly atMs: number
  /** The master's clock minus the worker's, as the worker measured it last. */
  readonly clockSkewMs?: number | undefined
  readonly roundTripMs?: number | undefined
  readonly integrity?: IntegrityState | undefined
  /** Missing when the worker has no listener. */
  readonly listener?: ListenerFigures | undefined
}

/** The order of a round. */
const round: readonly IntegrityState[] = ['resting', 'checking', 'planning', 'transferring', 'applying']

const pending: FileState = { state: 'pending' }

export class WorkerState {
  readonly check = new ServedRounds({})
  readonly sync = new ServedRounds({ shared: 0, missing: 0, extra: 0 })
  /** `unknown`: reports about agents that do not exist; `refused`: those with impossible times or texts. */
  readonly agentInfo = new ServedRounds({ chunks: 0, unknown: 0, refused: 0 })
  readonly agentGroups = new ServedRounds({ chunks: 0 })
  readonly agentGroupsFull = new ServedRounds({ chunks: 0 })
  /** Agents whose groups the worker gives back to a master that lost its table. */
  readonly groupsOffer = new ServedRounds({ agents: 0 })
  #unknownAgentReports = 0
  #lastKeepAliveMs: number | undefined
  #clockSkewMs: number | undefined
  #integrity: IntegrityState = 'resting'
  #listener: ListenerFigures | undefined
  #isCompressed: boolean | undefined
  #diskWrites: DiskWrites | undefined
  failuresLeftOut = 0
  /** What the worker's manager said to the last reload of its rules; undefined before any. */
  ruleset: RulesetReport | undefined
  #files = new Map<string, FileState>()
  /** Differing buckets, or parts of these, that are not decided yet in this round; all of them before anything was compared. */
  #undecided = Number.POSITIVE_INFINITY
  #refusal: FileState['error']
  /** Of the paths that the plan deletes. */
  #removalChars = 0
  /** Rows of failed files. */
  #failed = 0
  #inSyncMs: number | undefined
  #sameRoot: Uint8Array | undefined
  #roundTripMs: number | undefined
  #checks = 0

  /** Reports about agents that do not exist, dropped since the worker connected. */
  get unknownAgentReports(): number {
    return this.#unknownAgentReports
  }

  get lastKeepAliveMs(): number | undefined {
    return this.#lastKeepAliveMs
  }

  /** The master's clock minus the worker's. */
  get clockSkewMs(): number | undefined {
    return this.#clockSkewMs
  }

  /** What a keep-alive took, there and back, as the worker measured it last. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs
  }

  /** Checks that have arrived since the worker connected. */
  get checks(): number {
    return this.#checks
  }

  /** Files of `files` that are still to be synced. */
  get pending(): number {
    return this.#files.size - this.#failed
  }

  /** Files that could not be synced, those without a row included. */
  get failed(): number {
    return this.#failed + this.failuresLeftOut
  }

  /** When the trees were last seen to be the same. */
  get inSyncMs(): number | undefined {
    return this.#inSyncMs
  }

  /** Of both trees then. */
  get sameRoot(): Uint8Array | undefined {
    return this.#sameRoot
  }

  /** The state of the worker's integrity thread, from what it asks for and from what its keep-alives say. */
  get integrity(): IntegrityState {
    return this.#integrity
  }

  /** What the worker's listener of agents counted, by its last beat. */
  get listener(): ListenerFigures | undefined {
    return this.#listener
  }

  /** Whether the worker chose to have its last content compressed. */
  get isCompressed(): boolean | undefined {
    return this.#isCompressed
  }

  /** How the worker chose to write to its disk, by its last report. */
  get diskWrites(): DiskWrites | undefined {
    return this.#diskWrites
  }

  /** A plan is being carried out. */
  get isSyncing(): boolean {
    return this.#integrity === 'transferring' || this.#integrity === 'applying'
  }

  /**
   * At most limits.pendingFilesShownMax, and limits.pendingRemovalCharsMax: which files a worker has to delete is for the worker to
   * say, and it may lie. A row is
   * never changed, and a new plan has a new map: who reads one slowly reads what was true together.
   */
  get files(): ReadonlyMap<string, FileState> {
    return this.#files
  }

  /** Every file was compared: those without a row are in sync, but for files that we cannot read ourselves. */
  get isCompared(): boolean {
    return this.#undecided <= 0
  }

  /** Why its files are not compared at all. */
  get refusal(): FileState['error'] {
    return this.#refusal
  }

  get inSync(): boolean {
    return this.isCompared && this.files.size === 0 && this.failuresLeftOut === 0
  }

  /** Of the integrity thread a beat says that it goes on to the next step, or rests. Any other step was sent before our last answer arrived. */
  beat({ atMs, clockSkewMs = this.#clockSkewMs, integrity = this.#integrity, listener, roundTripMs = this.#roundTripMs }: Beat): void {
    this.#listener = listener
    this.#lastKeepAliveMs = atMs
    this.#clockSkewMs = clockSkewMs
    this.#roundTripMs = roundTripMs
    if (integrity === 'resting' || round.indexOf(integrity) === round.indexOf(this.#integrity) + 1) this.#integrity = integrity
  }

  /** A chunk of reports about agents was taken in, but for these. */
  tookReports(dropped: { readonly unknown: number; readonly refused: number }): void {
    this.agentInfo.add({ chunks: 1, ...dropped })
    this.#unknownAgentReports += dropped.unknown
  }

  /** A check has arrived. */
  checking(nowMs: number): void {
    this.#checks += 1
    this.#integrity = 'checking'
    this.check.begin(nowMs)
  }

  /** A check was refused. */
  refused(code: string, message: string): void {
    this.checkedDifferent()
    this.#integrity = 'resting'
    this.#refusal = { code, message }
  }

  /** The trees are the same: no file has a row. */
  checkedSame(nowMs: number, root: Uint8Array): void {
    this.#inSyncMs = nowMs
    this.#sameRoot = root
    this.#refusal = undefined
    this.#integrity = 'resting'
    this.sync.drop()
    this.#undecided = 0
    this.failuresLeftOut = 0
    this.#forgetFiles()
  }

  /** A round that was under way has come to nothing; the rows stay until this one has its plan. */
  checkedDifferent(): void {
    this.#refusal = undefined
    this.#integrity = 'planning'
    this.sync.drop()
    this.#undecided = Number.POSITIVE_INFINITY
  }

  /** Begins a new plan. */
  differsIn(buckets: number): void {
    this.#undecided = buckets
    if (this.isCompared) this.#integrity = 'resting'
    this.#removalChars = 0
    this.failuresLeftOut = 0
    this.#forgetFiles()
  }

  /** Of some differing buckets these parts differ. */
  differsInParts(buckets: number, parts: number): void {
    this.#undecided += parts - buckets
  }

  /** What was decided about some of the differing buckets or parts. */
  planned(plan: SyncPlan, decided: number): void {
    this.#undecided -= decided
    for (const { path } of plan.create) this.#expect(path)
    for (const { path } of plan.update) this.#expect(path)
    for (const path of plan.remove) this.#expectRemoval(path)
    if (this.isCompared) this.#integrity = this.files.size > 0 ? 'transferring' : 'resting'
  }

  /** The worker asks for content. */
  fetched(isCompressed: boolean): void {
    this.#isCompressed = isCompressed
  }

  /** What has changed was sent to the worker: if its tree was the same until now, this is what it has to do. */
  announced(paths: readonly string[]): void {
    if (!this.inSync || paths.length === 0) return
    this.#integrity = 'transferring'
    this.#forgetFiles()
    for (const path of paths) this.#expect(path)
  }

  /** A plan was carried out, but for `failures`. */
  applied(failures: readonly FileFailure[], leftOut: number, diskWrites = this.#diskWrites): void {
    this.#diskWrites = diskWrites
    this.#integrity = 'resting'
    this.#forgetFiles()
    this.failuresLeftOut = leftOut
    for (const { path, code, message } of failures) this.#files.set(path, { state: 'failed', error: { code, message } })
    this.#failed = this.#files.size
  }

  /** A slow reader keeps the rows as they were. */
  #forgetFiles(): void {
    this.#files = new Map()
    this.#failed = 0
  }

  #expect(path: string): void {
    if (this.files.size >= limits.pendingFilesShownMax) return
    if (this.#files.get(path)?.state === 'failed') this.#failed -= 1
    this.#files.set(path, pending)
  }

  #expectRemoval(path: string): void {
    this.#removalChars += path.length
    if (this.#removalChars <= limits.pendingRemovalCharsMax) this.#expect(path)
  }
}
