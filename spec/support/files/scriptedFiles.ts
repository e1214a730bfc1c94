/** The Files port over a map, in virtual time: as slow as a test wants, and able to fail. It notices calls that overlap. */

import { ClusterError } from '../../../src/base/errors.js'
import type { AppliedPlan, FileEntry, ScanPage, WriteStep, WrittenFile } from '../../../src/domain/files/treeValues.js'
import type { Files, TreeWatch } from '../../../src/ports/files.js'
import type { Clock } from '../../../src/ports/machine.js'

type Notified = (paths: readonly string[] | undefined) => void

export class ScriptedFiles implements Files {
  /** What is on the disk now. */
  readonly disk = new Map<string, FileEntry>()
  /** Scopes of the scans so far; `everything` for the whole tree. */
  readonly scans: (readonly string[] | 'everything')[] = []
  readonly scanTimesMs: number[] = []
  scanMs = 5
  pageEntriesMax = 2
  applyMs = 5
  /** What the next scan fails with. */
  scanFailure: unknown
  /** What the next page after the first fails with. */
  pageFailure: unknown
  watchFailure: ClusterError | undefined
  isWatchWhole = true
  /** Calls that ran at the same time as another. */
  overlaps = 0
  openWatches = 0
  #running = 0
  readonly #clock: Clock
  /** What was reported to the manifest. */
  readonly #reported = new Map<string, FileEntry>()
  #rest: (FileEntry | string)[] = []
  #onHint: Notified | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  hint(paths: readonly string[] | undefined): void {
    this.#onHint?.(paths)
  }

  async scan(paths: readonly string[] | undefined, signal: AbortSignal): Promise<ScanPage> {
    this.scans.push(paths ?? 'everything')
    this.scanTimesMs.push(this.#clock.monotonicMs())
    return this.#alone(this.scanMs, signal, () => {
      const failure = this.scanFailure
      this.scanFailure = undefined
      if (failure !== undefined) throw failure
      const isScanned = (path: string): boolean =>
        paths === undefined || paths.some((scope) => path === scope || path.startsWith(`${scope}/`))
      this.#rest = []
      for (const entry of this.disk.values()) if (isScanned(entry.path) && this.#reported.get(entry.path) !== entry) this.#rest.push(entry)
      for (const path of this.#reported.keys()) if (isScanned(path) && !this.disk.has(path)) this.#rest.push(path)
      return this.#page()
    })
  }

  /** Fails for a file that is not on the disk. */
  async wrote({ digest, path }: WrittenFile): Promise<FileEntry | undefined> {
    const entry = this.disk.get(path)
    if (!entry) throw new ClusterError('fileFailed')
    if (entry.digest !== digest) return undefined
    this.#reported.set(path, entry)
    return entry
  }

  async nextPage(signal: AbortSignal): Promise<ScanPage> {
    return this.#alone(1, signal, () => {
      const failure = this.pageFailure
      this.pageFailure = undefined
      if (failure !== undefined) throw failure
      return this.#page()
    })
  }

  async watch(onHint: Notified): Promise<TreeWatch> {
    if (this.watchFailure) throw this.watchFailure
    this.openWatches += 1
    this.#onHint = onHint
    return {
      isWhole: this.isWatchWhole,
      close: async () => {
        this.openWatches -= 1
        this.#onHint = undefined
      },
    }
  }

  async apply(
    plan: { readonly writes: readonly WriteStep[]; readonly removals: readonly string[] },
    signal: AbortSignal,
  ): Promise<AppliedPlan> {
    return this.#alone(this.applyMs, signal, () => {
      const upserts = plan.writes.map(({ path, digest }) => ({ path, digest, mode: 0o660, size: 1 }))
      for (const entry of upserts) {
        this.disk.set(entry.path, entry)
        this.#reported.set(entry.path, entry)
      }
      for (const path of plan.removals) {
        this.disk.delete(path)
        this.#reported.delete(path)
      }
      return { failures: [], upserts, removals: plan.removals }
    })
  }

  async read(): Promise<never> {
    throw new ClusterError('fileGone')
  }

  async staged(digests: readonly string[]): Promise<readonly number[]> {
    return digests.map(() => 0)
  }

  async stage(): Promise<never> {
    throw new ClusterError('malformed')
  }

  async recipe(): Promise<never> {
    throw new ClusterError('fileGone')
  }

  async beginPatch(): Promise<never> {
    throw new ClusterError('fileGone')
  }

  async fillPatch(): Promise<never> {
    throw new ClusterError('malformed')
  }

  async finishPatch(): Promise<never> {
    throw new ClusterError('digestMismatch')
  }

  rulesetDigests(): Promise<Readonly<Record<string, string>>> {
    return Promise.resolve({})
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(Number.POSITIVE_INFINITY)
  }

  async clearStage(): Promise<void> {}
  async close(): Promise<void> {}

  async #alone<T>(ms: number, signal: AbortSignal, work: () => T): Promise<T> {
    if (this.#running > 0) this.overlaps += 1
    this.#running += 1
    try {
      if (signal.aborted) throw new ClusterError('aborted')
      await new Promise<void>((resolve, reject) => {
        const onAbort = (): void => {
          this.#clock.clearTimeout(timer)
          reject(new ClusterError('aborted'))
        }
        const timer = this.#clock.setTimeout(() => {
          signal.removeEventListener('abort', onAbort)
          resolve()
        }, ms)
        signal.addEventListener('abort', onAbort)
      })
      return work()
    } finally {
      this.#running -= 1
    }
  }

  #page(): ScanPage {
    const some = this.#rest.splice(0, this.pageEntriesMax)
    const upserts = some.filter((found) => typeof found !== 'string')
    const removals = some.filter((found) => typeof found === 'string')
    for (const entry of upserts) this.#reported.set(entry.path, entry)
    for (const path of removals) this.#reported.delete(path)
    return { upserts, removals, problems: [], files: this.#reported.size, unknownDirectories: [], done: this.#rest.length === 0 }
  }
}
