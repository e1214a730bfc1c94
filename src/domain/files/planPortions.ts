/**
 * A plan that is too large to be carried out at once: what it writes, in portions, directory by directory, so that each
 * directory is opened and made durable about once. What is in the way of a write has to be deleted before all of them.
 */
import type { FileEntry } from './treeValues.js'
import { byWriteOrder, isWrittenLast } from './writeOrder.js'

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

export class PlanPortions {
  readonly #byDirectory = new Map<string, FileEntry[]>()
  /** Directories that the writes need, with all above them. */
  readonly #needed = new Set<string>()
  /** Names of files below the directories that were asked about. */
  readonly #written = new Map<string, ReadonlySet<string>>()

  add(entry: FileEntry): void {
    const directory = parentOf(entry.path)
    const entries = this.#byDirectory.get(directory)
    if (entries) {
      entries.push(entry)
      return
    }
    this.#byDirectory.set(directory, [entry])
    for (let needed = directory; needed !== '' && !this.#needed.has(needed); needed = parentOf(needed)) this.#needed.add(needed)
  }

  /** Whether a file to be deleted stands where a write needs a directory, or below a path that becomes a file. All writes must be added before. */
  isInTheWay(removal: string): boolean {
    if (this.#needed.has(removal)) return true
    for (let above = parentOf(removal); above !== ''; above = parentOf(above)) if (this.#isWritten(above)) return true
    return false
  }

  /** All writes, in arrays of at most `filesMax`. */
  *ofAtMost(filesMax: number): Generator<readonly FileEntry[]> {
    let portion: FileEntry[] = []
    for (const entry of this.#inOrder()) {
      portion.push(entry)
      if (portion.length < filesMax) continue
      yield portion
      portion = []
    }
    if (portion.length > 0) yield portion
  }

  *#inOrder(): Generator<FileEntry> {
    const last: FileEntry[] = []
    for (const directory of [...this.#byDirectory.keys()].sort((a, b) => byWriteOrder(`${a}/`, `${b}/`))) {
      for (const entry of this.#byDirectory.get(directory) ?? []) {
        if (isWrittenLast(entry.path)) last.push(entry)
        else yield entry
      }
    }
    yield* last
  }

  #isWritten(path: string): boolean {
    const directory = parentOf(path)
    const entries = this.#byDirectory.get(directory)
    if (!entries) return false
    const written = this.#written.get(directory) ?? new Set(entries.map((entry) => entry.path))
    this.#written.set(directory, written)
    return written.has(path)
  }
}
