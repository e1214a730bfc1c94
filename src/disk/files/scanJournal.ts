/**
 * What a scan of the tree has found and is not fetched yet: changed and vanished files, and problems. A problem is reported
 * once, and again only after it had gone away.
 */

import { limits } from '../../base/limits.js'
import type { FileEntry, FileFailure, ScanPage } from '../../domain/files/treeValues.js'
import { isBelow } from './relativePath.js'

export class ScanJournal {
  /** `undefined`: the file is gone. */
  readonly #changes = new Map<string, FileEntry | undefined>()
  readonly #problems: FileFailure[] = []
  /** Problems reported before, and the scan that saw them last. */
  readonly #reported = new Map<string, { message: string; scan: number }>()
  #scan = 0

  /** Files that are in no page yet. */
  get changes(): number {
    return this.#changes.size
  }

  begin(): void {
    this.#scan += 1
  }

  upsert(entry: FileEntry): void {
    this.#changes.set(entry.path, entry)
  }

  remove(path: string): void {
    this.#changes.set(path, undefined)
  }

  /** Another part reports this path. */
  withdraw(path: string): void {
    this.#changes.delete(path)
  }

  problem(failure: FileFailure): void {
    const reported = this.#reported.get(failure.path)
    if (reported?.message !== failure.message) this.#problems.push(failure)
    this.#reported.set(failure.path, { message: failure.message, scan: this.#scan })
  }

  /** Forgets the problems that were not seen again although their paths were scanned: everything, or `paths` and below. */
  end(paths: readonly string[] | undefined): void {
    for (const [path, { scan }] of this.#reported) {
      if (scan === this.#scan) continue
      if (paths === undefined || paths.some((scope) => path === scope || isBelow(path, scope))) this.#reported.delete(path)
    }
  }

  /** Takes out the next page. */
  page(files: number, unknownDirectories: readonly string[]): ScanPage {
    const upserts: FileEntry[] = []
    const removals: string[] = []
    let room = limits.scanPageEntriesMax
    for (const [path, entry] of this.#changes) {
      if (room-- === 0) break
      this.#changes.delete(path)
      if (entry) upserts.push(entry)
      else removals.push(path)
    }
    const problems = this.#problems.splice(0, Math.max(0, room))
    const done = this.#changes.size === 0 && this.#problems.length === 0
    return { upserts, removals, problems, files, unknownDirectories, done }
  }
}
