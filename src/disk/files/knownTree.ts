/** What the last scan knew of the tree: directories of files, each with the stat that its digest was taken at. */
import { EntryTable, entryBytes } from '../../domain/files/entryTable.js'
import type { Digest, KeysNonsense } from '../../domain/files/treeValues.js'
import type { DiskStat } from '../../ports/files.js'

/** A file that was hashed this shortly after it was written can be written again without its times showing it. */
const racyMs = 2_000
const longAgoMs = Number.NEGATIVE_INFINITY

const isNear = (ms: number, ns: bigint): boolean => Math.abs(ms - Number(ns / 1_000_000n)) < racyMs

/** It was hashed so close to a write that another write might not have shown. */
export const isRacy = ({ ctimeNs, mtimeNs }: DiskStat, hashedAtMs: number): boolean =>
  isNear(hashedAtMs, mtimeNs) || isNear(hashedAtMs, ctimeNs)

/**
 * When a file counts as hashed that this process renamed into place when it was whole. A later write sets both times to one value: so
 * where they differ, the stat shows every later write, however soon it comes.
 */
export const placedAtMs = ({ ctimeNs, mtimeNs }: DiskStat, nowMs: number): number => (mtimeNs < ctimeNs ? longAgoMs : nowMs)

/** Nothing but a write that came too fast (see isRacy) can have changed a file that still has the same stat. */
export const isSameStat = (known: DiskStat, { ctimeNs, inode, mode, mtimeNs, size }: DiskStat): boolean =>
  known.mtimeNs === mtimeNs && known.ctimeNs === ctimeNs && known.size === size && known.inode === inode && known.mode === mode

/** What was found out about a file. */
export interface FoundFile {
  readonly stat: DiskStat
  /** The mode that its entry shows. */
  readonly mode: number
  readonly digest: Digest
  readonly hashedAtMs: number
  readonly nonsense?: KeysNonsense | undefined
}

const column = {
  mtime: entryBytes,
  ctime: entryBytes + 8,
  inode: entryBytes + 16,
  listing: entryBytes + 24,
  mode: entryBytes + 28,
} as const
const racyAt = entryBytes + 30

/** The files of all directories. */
export class KnownFiles extends EntryTable {
  constructor() {
    super(32)
  }

  /** What was found out just now, which no listing has seen yet. */
  put(row: number, { digest, hashedAtMs, mode, nonsense, stat }: FoundFile): void {
    this.write(row, { size: stat.size, mode, digest, ...(nonsense && { nonsense }) })
    const view = this.view(row)
    const at = this.at(row)
    view.setBigInt64(at + column.mtime, stat.mtimeNs)
    view.setBigInt64(at + column.ctime, stat.ctimeNs)
    view.setBigInt64(at + column.inode, stat.inode)
    view.setUint32(at + column.listing, 0)
    view.setUint16(at + column.mode, stat.mode)
    view.setUint8(at + racyAt, isRacy(stat, hashedAtMs) ? 1 : 0)
  }

  /** See isSameStat. */
  hasStat(row: number, { ctimeNs, inode, mode, mtimeNs, size }: DiskStat): boolean {
    const view = this.view(row)
    const at = this.at(row)
    return (
      view.getBigInt64(at + column.mtime) === BigInt.asIntN(64, mtimeNs) &&
      view.getBigInt64(at + column.ctime) === BigInt.asIntN(64, ctimeNs) &&
      this.sizeOf(row) === size &&
      view.getBigInt64(at + column.inode) === BigInt.asIntN(64, inode) &&
      view.getUint16(at + column.mode) === mode
    )
  }

  isRacy(row: number): boolean {
    return this.view(row).getUint8(this.at(row) + racyAt) === 1
  }

  /** The listing of its directory that saw it last. */
  listingOf(row: number): number {
    return this.view(row).getUint32(this.at(row) + column.listing)
  }

  setListing(row: number, listing: number): void {
    this.view(row).setUint32(this.at(row) + column.listing, listing)
  }
}

export class KnownDirectory {
  /** Relative to the home. */
  readonly path: string
  /** Rows of the known files, by name. */
  readonly files = new Map<string, number>()
  readonly directories = new Map<string, KnownDirectory>()
  /** The listing of its parent that saw it last; and counts its own. */
  listing = 0
  listings = 0

  constructor(path: string) {
    this.path = path
  }

  directory(name: string): KnownDirectory {
    const known = this.directories.get(name)
    if (known) return known
    const created = new KnownDirectory(`${this.path}/${name}`)
    this.directories.set(name, created)
    return created
  }
}
