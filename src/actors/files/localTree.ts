/**
 * A node's view of its own synced tree: the manifest, kept true by scanning the disk and by what was applied. Scans and
 * applied plans take turns, so that an older answer of the disk never overwrites a newer one.
 */

import { ClusterError } from '../../base/errors.js'
import { InTurn } from '../../base/inTurn.js'
import { limits } from '../../base/limits.js'
import { FileLines } from '../../domain/files/fileLines.js'
import { heldReason, type LastingFile, lastingEntry } from '../../domain/files/lastingFile.js'
import { Manifest, sameDigest } from '../../domain/files/manifest.js'
import { itemsDigest, type SyncedItems } from '../../domain/files/syncedItems.js'
import type { AppliedPlan, FileEntry, FileFailure, ScanPage, WriteStep, WrittenFile } from '../../domain/files/treeValues.js'
import type { Files } from '../../ports/files.js'
import type { Clock } from '../../ports/machine.js'
import { Signal, waitUntil } from '../kit/signal.js'
import { Announcements } from './announcements.js'
import { SharedContent } from './sharedContent.js'

/** Paths of more files that changed are not kept: then anything may have. */
const changedPathsMax = 10_000
/** Entries of which the digests are computed in one go: some milliseconds. */
const entriesPerTurn = 2 * limits.stepsPerTurnMax

export interface TreeScan {
  readonly changed: boolean
  readonly files: number
  readonly problems: readonly FileFailure[]
  /** What the log says of the files that changed since the scan before, at debug. */
  readonly lines: readonly string[]
}

/** `undone` are the paths of what was applied that had changed on this node itself. */
export type ApplyPortion = (plan: {
  readonly writes: readonly WriteStep[]
  readonly removals: readonly string[]
}) => Promise<AppliedPlan & { readonly undone: readonly string[] }>

export class LocalTree {
  readonly manifest = new Manifest()
  readonly synced: SyncedItems
  readonly itemsDigest: Uint8Array
  readonly files: Files
  /** For those who send what is in the tree. */
  readonly content: SharedContent
  readonly announcements: Announcements
  readonly #clock: Clock
  readonly #lasting: LastingFile | undefined
  /** What is on the disk in place of the lasting file. */
  #lastingFound: FileEntry | undefined
  /** When it was held first, and whether a scan has reported it. */
  #lastingHeld: { readonly sinceMs: number; isReported: boolean } | undefined
  /** A worker's tree is the master's, as the master has just said. */
  readonly agreed = new Signal()
  readonly #changed = new Signal()
  readonly #content = new Signal<readonly string[] | undefined>()
  /** Files that changed in the manifest since the last call-back about content; undefined when any may have. */
  #unreported: string[] | undefined
  readonly #hinted = new Set<(paths: readonly string[]) => void>()
  /** Paths that changed in the manifest since it had the root that was shown last; as many as are announced, and one more. */
  readonly #touched = new Set<string>()
  #shownRoot: Uint8Array | undefined
  readonly #inTurn = new InTurn()
  #scanned = false
  /** Paths that changed on this node's disk since its tree was the master's; nothing before it was. */
  #ownChanges: Set<string> | undefined

  constructor(files: Files, synced: SyncedItems, clock: Clock, lasting?: LastingFile) {
    this.files = files
    this.content = new SharedContent(files)
    this.synced = synced
    this.announcements = new Announcements(this)
    this.itemsDigest = itemsDigest(synced)
    this.#clock = clock
    this.#lasting = lasting
  }

  /** The whole tree was scanned at least once. */
  get isKnown(): boolean {
    return this.#scanned
  }

  /** Why nobody's tree can be compared with this one. */
  get refusal(): ClusterError | undefined {
    const { files } = this.manifest
    if (files <= limits.manifestEntriesMax) return undefined
    const message = `The master's synced directories have ${files} files, and trees of at most ${limits.manifestEntriesMax} files are synced.`
    return new ClusterError('tooLarge', { message })
  }

  /** Resolves once the tree is known. */
  known(signal: AbortSignal): Promise<void> {
    return waitUntil(
      () => this.#scanned,
      (listener) => this.onChanged(listener),
      signal,
    )
  }

  /** Calls back after the tree has changed, or was scanned for the first time. */
  onChanged(listener: () => void): () => void {
    return this.#changed.add(listener)
  }

  /**
   * Calls back after the tree has changed in whatever way, by what was applied too: with the paths of the files, or with nothing
   * when any may have changed.
   */
  onContent(listener: (changed: readonly string[] | undefined) => void): () => void {
    return this.#content.add(listener)
  }

  /** This node itself has just written these paths: nobody has to wait for the watcher to say so. */
  hint(paths: readonly string[]): void {
    for (const hinted of [...this.#hinted]) hinted(paths)
  }

  /** This node itself has just written this file, whole: nobody has to wait for the watcher to say so, or to read it again. */
  wrote(file: WrittenFile): Promise<void> {
    return this.#inTurn.run(async () => {
      const entry = await this.files.wrote(file, new AbortController().signal).catch(() => undefined)
      if (!entry) return this.hint([file.path])
      this.#put(entry.path, entry)
      this.#emitIfChanged()
    })
  }

  /** Calls back with the paths of each hint until the returned function is called. */
  onHint(hinted: (paths: readonly string[]) => void): () => void {
    this.#hinted.add(hinted)
    return () => this.#hinted.delete(hinted)
  }

  /** Brings the manifest up to date with the disk: everything, or only `paths` and what is below them. */
  scan(paths: readonly string[] | undefined, signal: AbortSignal): Promise<TreeScan> {
    return this.#inTurn.run(async () => {
      const isFirst = !this.#scanned
      const problems: FileFailure[] = []
      const files = new FileLines()
      let page = await this.files.scan(paths, signal)
      for (;;) {
        // Of a tree that was not scanned before all files would be new.
        if (!isFirst) this.#noteChanges(page, files)
        for (const path of page.removals) this.#put(path, undefined)
        for (const entry of page.upserts) this.#put(entry.path, entry)
        problems.push(...page.problems)
        this.manifest.unknownDirectories = new Set(page.unknownDirectories)
        if (page.done) break
        page = await this.files.nextPage(signal)
      }
      // A scan reports what changed: nothing was ever there, so far.
      if (this.#lasting && !this.manifest.get(this.#lasting.path)) this.#put(this.#lasting.path, undefined)
      while (this.manifest.settleSome(entriesPerTurn)) await this.#pause()
      if (paths === undefined) this.#scanned = true
      const changed = this.#emitIfChanged()
      return { changed, files: this.manifest.files, problems: [...problems, ...this.#heldForLong()], lines: files.lines }
    })
  }

  /** It may be known by now whether the lasting file ever said something. */
  judgeLastingFile(): Promise<void> {
    return this.#inTurn.run(async () => {
      if (!this.#lasting || !this.#scanned) return
      this.#put(this.#lasting.path, this.#lastingFound)
      this.#emitIfChanged()
    })
  }

  #put(path: string, found: FileEntry | undefined): void {
    let entry = found
    if (path === this.#lasting?.path) {
      this.#lastingFound = found
      entry = lastingEntry(this.#lasting, found, this.manifest.get(path))
      this.#lastingHeld = entry?.held ? (this.#lastingHeld ?? { sinceMs: this.#clock.monotonicMs(), isReported: false }) : undefined
    }
    if (!entry && !this.manifest.get(path)) return
    if (this.#touched.size <= limits.announcedFilesMax) this.#touched.add(path)
    if (entry) this.#set(entry)
    else this.#delete(path)
  }

  #set(entry: FileEntry): void {
    this.manifest.set(entry)
    this.#noteUnreported(entry.path)
  }

  #delete(path: string): void {
    if (!this.manifest.get(path)) return
    this.manifest.delete(path)
    this.#noteUnreported(path)
  }

  #noteUnreported(path: string): void {
    this.#unreported?.push(path)
    if (this.#unreported && this.#unreported.length > changedPathsMax) this.#unreported = undefined
  }

  #emitContent(): void {
    const changed = this.#unreported
    this.#unreported = []
    this.#content.emit(changed)
  }

  #noteChanges({ removals, upserts }: ScanPage, files: FileLines): void {
    const note = (what: string, path: string): void => {
      files.add(what, path)
      if (this.#ownChanges && this.#ownChanges.size < limits.ownChangesMax) this.#ownChanges.add(path)
    }
    for (const path of removals) note('Deleted file', path)
    for (const { path } of upserts) note(this.manifest.get(path) ? 'Changed file' : 'New file', path)
  }

  /** A worker's tree with this root is the master's. */
  isMasters(root: Uint8Array): void {
    if (!sameDigest(root, this.manifest.root())) return
    this.#ownChanges = new Set()
    this.agreed.emit()
  }

  /** That the lasting file is not sent, once, and only when that is no moment of its being saved. */
  #heldForLong(): readonly FileFailure[] {
    const held = this.#lastingHeld
    const entry = this.#lasting && this.manifest.get(this.#lasting.path)
    if (!entry || !held || held.isReported || this.#clock.monotonicMs() - held.sinceMs < limits.keysTrustedMs) return []
    held.isReported = true
    return [{ path: entry.path, code: 'fileFailed', message: heldReason(entry) }]
  }

  #emitIfChanged(): boolean {
    const root = this.manifest.root()
    if (!this.#scanned || (this.#shownRoot && sameDigest(this.#shownRoot, root))) return false
    if (this.#shownRoot) this.announcements.changed(this.#shownRoot, this.#touched)
    this.#show(root)
    this.#changed.emit()
    this.#emitContent()
    return true
  }

  #show(root: Uint8Array): void {
    this.#shownRoot = root
    this.#touched.clear()
  }

  /**
   * Carries out a plan, whole or in portions: scans wait until `work` is over, for what they would find is applied or is about to be.
   * The manifest's digests are brought up to date once, at the end.
   */
  inPortions<T>(signal: AbortSignal, work: (apply: ApplyPortion) => Promise<T>): Promise<T> {
    return this.#inTurn.run(async () => {
      let isOther = false
      try {
        return await work(async (plan) => {
          const applied = await this.files.apply(plan, signal)
          for (const path of applied.removals) this.#delete(path)
          for (const entry of applied.upserts) this.#set(entry)
          isOther ||= applied.removals.length + applied.upserts.length > 0
          const done = [...applied.removals, ...applied.upserts.map(({ path }) => path)]
          return { ...applied, undone: done.filter((path) => this.#ownChanges?.delete(path)) }
        })
      } finally {
        while (this.manifest.settleSome(entriesPerTurn)) await this.#pause()
        this.announcements.forget()
        if (this.#scanned) this.#show(this.manifest.root())
        if (isOther) this.#emitContent()
      }
    })
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#clock.setTimeout(resolve, 0)
    })
  }
}
