/** Entries in the order in which they were added, in few bytes each: a plan of a million files is held like this. */
import { EntryTable } from './entryTable.js'
import type { FileEntry } from './treeValues.js'

/** What an array of entries can do, too. */
export interface Entries extends Iterable<FileEntry> {
  readonly length: number
  at(index: number): FileEntry | undefined
}

export class EntryList implements Entries {
  readonly #paths: string[] = []
  readonly #table = new EntryTable()

  get length(): number {
    return this.#paths.length
  }

  add(entry: FileEntry): void {
    this.#table.write(this.#table.add(), entry)
    this.#paths.push(entry.path)
  }

  at(index: number): FileEntry | undefined {
    const path = this.#paths[index]
    return path === undefined ? undefined : this.#table.entry(index, path)
  }

  *[Symbol.iterator](): Generator<FileEntry> {
    for (const [row, path] of this.#paths.entries()) yield this.#table.entry(row, path)
  }
}
