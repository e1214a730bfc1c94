/** What the last scan knew of the tree: directories of files, each with the stat that its digest was taken at. */
import type { Digest, FileEntry, KeysNonsense } from '../../domain/files/treeValues.js'
import type { DiskStat } from '../../ports/files.js'

/** A file that was hashed this shortly after it was written can be written again without its times showing it. */
const racyMs = 2_000
const longAgoMs = Number.NEGATIVE_INFINITY

export class KnownFile {
  readonly stat: DiskStat
  readonly digest: Digest
  readonly hashedAtMs: number
  /** The mode that its entry shows. */
  readonly mode: number
  held = false
  readonly nonsense: KeysNonsense | undefined
  /** The listing of its directory that saw it last. */
  listing = 0

  constructor(stat: DiskStat, mode: number, digest: Digest, hashedAtMs: number, nonsense?: KeysNonsense) {
    this.stat = stat
    this.mode = mode
    this.digest = digest
    this.hashedAtMs = hashedAtMs
    this.nonsense = nonsense
  }

  /**
   * A file that this process renamed into place when it was whole. A later write sets both times to one value: so where they differ,
   * the stat shows every later write, however soon it comes.
   */
  static placed(stat: DiskStat, mode: number, digest: Digest, nowMs: number): KnownFile {
    return new KnownFile(stat, mode, digest, stat.mtimeNs < stat.ctimeNs ? longAgoMs : nowMs)
  }

  /** It was hashed so close to a write that another write might not have shown. */
  get isRacy(): boolean {
    return isNear(this.hashedAtMs, this.stat.mtimeNs) || isNear(this.hashedAtMs, this.stat.ctimeNs)
  }

  /** Nothing but a write that came too fast (see isRacy) can have changed a file that still has the same stat. */
  hasStat({ ctimeNs, inode, mode, mtimeNs, size }: DiskStat): boolean {
    const known = this.stat
    return known.mtimeNs === mtimeNs && known.ctimeNs === ctimeNs && known.size === size && known.inode === inode && known.mode === mode
  }

  entry(path: string): FileEntry {
    const { digest, held, mode, nonsense, stat } = this
    return { path, size: stat.size, mode, digest, ...(held && { held }), ...(nonsense && { nonsense }) }
  }
}

const isNear = (ms: number, ns: bigint): boolean => Math.abs(ms - Number(ns / 1_000_000n)) < racyMs

export class KnownDirectory {
  /** Relative to the home. */
  readonly path: string
  readonly files = new Map<string, KnownFile>()
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
