/**
 * A check of one file: what its entry is, on a master and on a worker. A file is hashed when its stat changed, or when it was
 * hashed so soon after a write that the stat could not show it (see knownTree.ts).
 */

import { limits } from '../../base/limits.js'
import { keysPath } from '../../domain/agents/keyEntry.js'
import { KeysInspection } from '../../domain/agents/keys/keysInspection.js'
import { isExcluded, type SyncedItem, type SyncedItems } from '../../domain/files/syncedItems.js'
import type { Digest, FileEntry } from '../../domain/files/treeValues.js'
import type { Disk, DiskStat } from '../../ports/files.js'
import { errnoOf, failureOf, isGone } from './diskFailure.js'
import { hashFile, readBytes, unknownDigest } from './fileHash.js'
import { type FoundFile, type KnownDirectory, KnownFiles, placedAtMs } from './knownTree.js'
import { isTemporaryName } from './relativePath.js'
import { ScanJournal } from './scanJournal.js'
import { targetWithin } from './targetWithin.js'

export interface TreeOptions {
  /** Absolute, without a slash at the end. */
  readonly home: string
  readonly synced: SyncedItems
  readonly role: 'master' | 'worker'
}

/** A path of this many UTF-16 units is never too long, whatever they are. */
const surelyShortPathChars = Math.floor(limits.pathBytesMax / 3)
const noStat: DiskStat = { kind: 'file', size: 0, mode: 0, mtimeNs: 0n, ctimeNs: 0n, inode: 0n, links: 0 }

/** One file to check. */
interface Place {
  readonly directory: KnownDirectory
  readonly name: string
  readonly path: string
  readonly absolute: string
  readonly item: SyncedItem
  /** Its row among the known files. */
  readonly known: number | undefined
}

export class FileCheck {
  readonly journal = new ScanJournal()
  /** Paths of the master's symlinks that were seen. */
  readonly links = new Set<string>()
  readonly known = new KnownFiles()
  readonly #disk: Disk
  readonly #options: TreeOptions
  readonly #buffer = new Uint8Array(readBytes)

  constructor(disk: Disk, options: TreeOptions) {
    this.#disk = disk
    this.#options = options
  }

  isSynced(item: SyncedItem, name: string): boolean {
    return (item.files === 'all' || item.files.includes(name)) && !isTemporaryName(name) && !isExcluded(this.#options.synced, name)
  }

  problem(path: string, message: string): void {
    this.journal.problem({ path, code: 'fileFailed', message })
  }

  /** Brings what is known of one file up to date. */
  examine(directory: KnownDirectory, name: string, item: SyncedItem): void {
    const path = `${directory.path}/${name}`
    const known = directory.files.get(name)
    if (known !== undefined) this.known.setListing(known, directory.listings)
    const place = { directory, name, path, absolute: `${this.#options.home}/${path}`, item, known }
    if (path.length > surelyShortPathChars && Buffer.byteLength(path) > limits.pathBytesMax) {
      this.#skip(place, `The path is longer than ${limits.pathBytesMax} bytes, so the file is not synced.`)
      return
    }
    try {
      const stat = this.#disk.lstat(place.absolute)
      if (stat.kind === 'file') this.#examineContent(place, stat, place.absolute)
      else if (stat.kind === 'directory') this.forget(directory, name)
      else if (this.#options.role === 'worker')
        this.#set(place, { stat: { ...stat, size: 0 }, mode: stat.mode, digest: unknownDigest, hashedAtMs: 0 })
      else if (stat.kind === 'symlink') this.#examineLink(place)
      else this.#skip(place, 'It is neither a file nor a directory, so it is not synced.')
    } catch (thrown) {
      this.#unreadable(place, thrown)
    }
  }

  /** There is such a file, but nobody can say what is in it: it stays as it is everywhere. */
  hold(path: string, row: number): void {
    if (this.known.isHeld(row)) return
    this.known.setHeld(row, true)
    this.journal.upsert(this.known.entry(row, path))
  }

  forget(directory: KnownDirectory, name: string): void {
    if (this.#remove(directory, name)) this.journal.remove(`${directory.path}/${name}`)
  }

  /** Like a check that found this, but returned to the caller instead of noted in the journal. */
  put(directory: KnownDirectory, name: string, item: SyncedItem, stat: DiskStat, digest: Digest): FileEntry {
    const path = `${directory.path}/${name}`
    const found = { stat, mode: this.#modeOf(item, stat), digest, hashedAtMs: placedAtMs(stat, this.#disk.now()) }
    const row = this.#keep(directory, name, found)
    this.journal.withdraw(path)
    return this.known.entry(row, path)
  }

  drop(directory: KnownDirectory, name: string): void {
    this.#remove(directory, name)
    this.journal.withdraw(`${directory.path}/${name}`)
  }

  #examineContent(place: Place, stat: DiskStat, from: string): void {
    const { item, known } = place
    if (known !== undefined && this.#isAsKnown(known, stat)) {
      if (this.known.isHeld(known)) {
        this.known.setHeld(known, false)
        this.journal.upsert(this.known.entry(known, place.path))
      }
      return
    }
    const hashedAtMs = this.#disk.now()
    let keys: KeysInspection | undefined
    const inspect = () => {
      const inspection = new KeysInspection()
      keys = inspection
      return (part: Uint8Array) => inspection.take(part)
    }
    const isJudged = this.#options.role === 'master' && place.path === keysPath
    const hashed = hashFile(this.#disk, from, this.#buffer, 'sha256', isJudged ? inspect : undefined)
    const { digest, stat: hashedStat } = hashed
    this.#set(place, { stat: hashedStat, mode: this.#modeOf(item, hashedStat), digest, hashedAtMs, nonsense: keys?.end() })
  }

  #isAsKnown(row: number, stat: DiskStat): boolean {
    return this.known.hasStat(row, stat) && !this.known.isRacy(row) && this.known.digestOf(row) !== unknownDigest
  }

  #examineLink(place: Place): void {
    this.links.add(place.path)
    const followed = this.#follow(place)
    if (typeof followed === 'string') this.#skip(place, followed)
    else this.#examineContent(place, followed.stat, followed.target)
  }

  /** The master's link is a file like another when what it leads to is a file within the same item; else why it is not. */
  #follow({ absolute, item }: Place): { readonly target: string; readonly stat: DiskStat } | string {
    let target: string | undefined
    try {
      target = targetWithin(this.#disk, `${this.#options.home}/${item.dir}`, absolute)
    } catch (thrown) {
      const errno = errnoOf(thrown)
      if (errno !== 'ELOOP' && !isGone(errno)) throw thrown
      return 'The symbolic link leads nowhere, so it is not synced.'
    }
    if (target === undefined) return `The symbolic link leads out of '${item.dir}', so it is not synced.`
    const stat = this.#disk.lstat(target)
    return stat.kind === 'file' ? { target, stat } : 'The symbolic link does not lead to a file, so it is not synced.'
  }

  #unreadable(place: Place, thrown: unknown): void {
    const { directory, item, known, name, path } = place
    if (isGone(errnoOf(thrown))) {
      this.forget(directory, name)
      return
    }
    this.problem(path, failureOf(path, thrown, 'read').message)
    if (this.#options.role === 'worker') {
      this.#set(place, { stat: noStat, mode: 0, digest: unknownDigest, hashedAtMs: 0 })
      return
    }
    const row = known ?? this.#set(place, { stat: noStat, mode: item.mode, digest: unknownDigest, hashedAtMs: 0 })
    this.hold(path, row)
  }

  #modeOf(item: SyncedItem, stat: DiskStat): number {
    return this.#options.role === 'master' ? item.mode : stat.mode
  }

  /** Returns its row. */
  #set({ directory, known, name, path }: Place, found: FoundFile): number {
    const isShown =
      known !== undefined &&
      !this.known.isHeld(known) &&
      this.known.modeOf(known) === found.mode &&
      this.known.digestOf(known) === found.digest
    const row = this.#keep(directory, name, found)
    this.known.setListing(row, directory.listings)
    if (!isShown) this.journal.upsert(this.known.entry(row, path))
    return row
  }

  #keep(directory: KnownDirectory, name: string, found: FoundFile): number {
    const known = directory.files.get(name)
    const row = known ?? this.known.add()
    this.known.put(row, found)
    if (known === undefined) directory.files.set(name, row)
    return row
  }

  /** False when there was no such file. */
  #remove(directory: KnownDirectory, name: string): boolean {
    const row = directory.files.get(name)
    if (row === undefined) return false
    directory.files.delete(name)
    this.known.remove(row)
    return true
  }

  #skip({ directory, name, path }: Place, why: string): void {
    this.problem(path, why)
    this.forget(directory, name)
  }
}
