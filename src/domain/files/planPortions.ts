/**
 * A plan that is too large to be carried out at once: what it writes, in portions, directory by directory, so that each
 * directory is opened and made durable about once. What is in the way of a write has to be deleted before all of them.
 */
import { invariant } from '../../base/invariant.js'
import type { SyncPlan } from './syncPlan.js'
import type { FileEntry } from './treeValues.js'
import { byWriteOrder, isWrittenLast } from './writeOrder.js'

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

export class PlanPortions {
  readonly #plan: Pick<SyncPlan, 'create' | 'update'>
  /** Indexes of the writes in each directory. */
  readonly #byDirectory = new Map<string, number[]>()
  /** Directories that the writes need, with all above them. */
  readonly #needed = new Set<string>()
  /** Names of files below the directories that were asked about. */
  readonly #written = new Map<string, ReadonlySet<string>>()

  constructor(plan: Pick<SyncPlan, 'create' | 'update'>) {
    this.#plan = plan
  }

  /** How many writes there are. */
  get writes(): number {
    return this.#plan.create.length + this.#plan.update.length
  }

  /** Takes in one write of the plan. All have to be, before anything else is asked: one by one, so that it may take its time. */
  add(index: number): void {
    const directory = parentOf(this.#write(index).path)
    const known = this.#byDirectory.get(directory)
    if (known) {
      known.push(index)
      return
    }
    this.#byDirectory.set(directory, [index])
    for (let needed = directory; needed !== '' && !this.#needed.has(needed); needed = parentOf(needed)) this.#needed.add(needed)
  }

  /** Whether a file to be deleted stands where a write needs a directory, or below a path that becomes a file. */
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
      for (const index of this.#byDirectory.get(directory) ?? []) {
        const entry = this.#write(index)
        if (isWrittenLast(entry.path)) last.push(entry)
        else yield entry
      }
    }
    yield* last
  }

  #isWritten(path: string): boolean {
    const directory = parentOf(path)
    const indexes = this.#byDirectory.get(directory)
    if (!indexes) return false
    const written = this.#written.get(directory) ?? new Set(indexes.map((index) => this.#write(index).path))
    this.#written.set(directory, written)
    return written.has(path)
  }

  #write(index: number): FileEntry {
    const { create, update } = this.#plan
    const write = create.at(index) ?? update.at(index - create.length)
    invariant(write !== undefined, 'a write has an index of the plan')
    return write
  }
}
