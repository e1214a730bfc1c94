/**
 * Entries of very many files in few bytes each: a row of fixed length in pages of plain memory, which no garbage collector walks and
 * growing does not copy. Entries become objects only when they are read. Their paths are with those that find the rows by them.
 */
import { invariant } from '../../base/invariant.js'
import type { Digest, FileEntry, KeysNonsense } from './treeValues.js'

const rowsPerPage = 1024

/** Where each column begins in a row, in bytes. */
const column = { size: 0, digest: 8, mode: 40, held: 42, nonsense: 43 } as const
/** Also where the columns of a table that has more of them begin. */
export const entryBytes = 48
const digestEnd = column.digest + 32

const nonsenses: readonly (KeysNonsense | undefined)[] = [undefined, 'noise', 'noLine']

interface Page {
  readonly bytes: Buffer
  readonly view: DataView
}

export class EntryTable {
  readonly #rowBytes: number
  readonly #pages: Page[] = []
  /** Rows that were removed, to be used again. */
  readonly #free: number[] = []
  /** Rows that were ever used. */
  #rows = 0

  /** @param moreBytes of other columns, for each row */
  constructor(moreBytes = 0) {
    this.#rowBytes = entryBytes + moreBytes
  }

  get size(): number {
    return this.#rows - this.#free.length
  }

  /** A row that nobody else has, to be written before it is read. */
  add(): number {
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#rows % rowsPerPage === 0) {
      const bytes = Buffer.alloc(rowsPerPage * this.#rowBytes)
      this.#pages.push({ bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) })
    }
    return this.#rows++
  }

  remove(row: number): void {
    this.#free.push(row)
  }

  write(row: number, { digest, held = false, mode, nonsense, size }: Omit<FileEntry, 'path' | 'held'> & { readonly held?: boolean }): void {
    const { bytes, view } = this.#page(row)
    const at = this.at(row)
    view.setFloat64(at + column.size, size)
    bytes.write(digest, at + column.digest, 32, 'hex')
    view.setUint16(at + column.mode, mode)
    view.setUint8(at + column.held, held ? 1 : 0)
    view.setUint8(at + column.nonsense, nonsenses.indexOf(nonsense))
  }

  entry(row: number, path: string): FileEntry {
    const nonsense = this.nonsenseOf(row)
    const held = this.isHeld(row)
    const entry = { path, size: this.sizeOf(row), mode: this.modeOf(row), digest: this.digestOf(row) }
    return held || nonsense ? { ...entry, ...(held && { held }), ...(nonsense && { nonsense }) } : entry
  }

  sizeOf(row: number): number {
    return this.view(row).getFloat64(this.at(row) + column.size)
  }

  digestOf(row: number): Digest {
    const at = this.at(row)
    return this.#page(row).bytes.toString('hex', at + column.digest, at + digestEnd)
  }

  modeOf(row: number): number {
    return this.view(row).getUint16(this.at(row) + column.mode)
  }

  nonsenseOf(row: number): KeysNonsense | undefined {
    return nonsenses[this.view(row).getUint8(this.at(row) + column.nonsense)]
  }

  isHeld(row: number): boolean {
    return this.view(row).getUint8(this.at(row) + column.held) === 1
  }

  setHeld(row: number, held: boolean): void {
    this.view(row).setUint8(this.at(row) + column.held, held ? 1 : 0)
  }

  /** Where the row is, beginning at `at`. */
  protected view(row: number): DataView {
    return this.#page(row).view
  }

  protected at(row: number): number {
    return (row % rowsPerPage) * this.#rowBytes
  }

  #page(row: number): Page {
    const page = this.#pages[Math.floor(row / rowsPerPage)]
    invariant(page !== undefined, 'a row was added before it is used')
    return page
  }
}
