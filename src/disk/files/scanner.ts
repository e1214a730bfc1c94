/**
 * Keeps what is known of a synced tree true, by scanning everything or single paths. One walk per item; no symlink
 * below an item's directory is ever walked through. What becomes of each file is said in fileCheck.ts.
 */

import { limits } from '../../base/limits.js'
import type { SyncedItem } from '../../domain/files/syncedItems.js'
import type { FileEntry, ScanPage, WrittenFile } from '../../domain/files/treeValues.js'
import type { Disk, DiskStat } from '../../ports/files.js'
import { errnoOf, failureOf, isGone } from './diskFailure.js'
import { FileCheck, type TreeOptions } from './fileCheck.js'
import { stampOf } from './fileHash.js'
import { KnownDirectory } from './knownTree.js'
import { decodeName, isBelow, isTemporaryName, nameOf, shownName } from './relativePath.js'

/** One item's part of the tree. */
interface Root {
  readonly item: SyncedItem
  readonly known: KnownDirectory
  state: 'neverSeen' | 'there' | 'missing'
}

export class Scanner {
  readonly #disk: Disk
  readonly #options: TreeOptions
  readonly #roots: readonly Root[]
  readonly #itemDirs: ReadonlySet<string>
  /** Paths of the master's directories that could not be read when they were scanned last. */
  readonly #unreadable = new Set<string>()
  readonly #check: FileCheck
  /** Directories that are still to be walked through, the next one last. */
  readonly #open: { readonly directory: KnownDirectory; readonly item: SyncedItem }[] = []
  /** The scan of everything is not over. */
  #isScanning = false

  constructor(disk: Disk, options: TreeOptions) {
    this.#disk = disk
    this.#options = options
    this.#check = new FileCheck(disk, options)
    this.#roots = options.synced.items.map((item) => ({ item, known: new KnownDirectory(item.dir), state: 'neverSeen' }))
    this.#itemDirs = new Set(options.synced.items.map((item) => item.dir))
  }

  /**
   * Scans everything, or `paths` and what is below them; returns the first page of what changed. Everything is scanned page by page, so
   * that what was found and is not fetched yet is never all of a large tree.
   */
  scan(paths?: readonly string[]): ScanPage {
    const named = paths?.map((path) => path.replace(/^(\.?\/)+|\/+$/g, ''))
    const everything = named === undefined || named.some((path) => path === '' || path === '.')
    const { journal, links } = this.#check
    journal.begin()
    this.#isScanning = everything
    this.#open.length = 0
    if (everything) {
      links.clear()
      for (const root of this.#roots) this.#walkRoot(root)
    } else {
      // What a link of the master leads to changes without anybody naming the link.
      const scopes = new Set([...named, ...links])
      for (const path of scopes) {
        this.#examine(path)
        this.#walkOpen(Number.POSITIVE_INFINITY)
      }
      journal.end([...scopes])
    }
    return this.nextPage()
  }

  nextPage(): ScanPage {
    const { journal, known } = this.#check
    this.#walkOpen(limits.scanPageEntriesMax)
    if (this.#isScanning && this.#open.length === 0) {
      this.#isScanning = false
      journal.end(undefined)
    }
    const missing = this.#roots.filter((root) => root.state !== 'there').map((root) => root.item.dir)
    const page = journal.page(known.size, [...missing, ...this.#unreadable])
    return this.#isScanning ? { ...page, done: false } : page
  }

  /** Somebody put this content there, and proved it. Returns the entry, which will be in no page. */
  put(path: string, stat: DiskStat, digest: string): FileEntry | undefined {
    const place = this.#find(path)
    if (!place) return undefined
    const name = nameOf(path)
    const below = place.directory.directories.get(name)
    if (below) this.#forgetDirectory(place.directory, name, below)
    return this.#check.put(place.directory, name, place.item, stat, digest)
  }

  /** As `put`, of what this process says that it has put there; undefined when something else is there by now. */
  wrote({ digest, path, stamp }: WrittenFile): FileEntry | undefined {
    try {
      const stat = this.#disk.lstat(this.#absolute(path))
      return stat.kind === 'file' && stampOf(stat) === stamp ? this.put(path, stat, digest) : undefined
    } catch (thrown) {
      if (errnoOf(thrown) === undefined) throw thrown
      return undefined
    }
  }

  /** The file was deleted; it will be in no page. */
  drop(path: string): void {
    const place = this.#find(path)
    if (place) this.#check.drop(place.directory, nameOf(path))
  }

  /** The known directory that the path is in, created when needed; undefined when no item has it. */
  #find(path: string): { directory: KnownDirectory; item: SyncedItem } | undefined {
    const root = this.#rootOf(path)
    if (!root) return undefined
    const names = path.slice(root.item.dir.length + 1).split('/')
    let directory = root.known
    for (const name of names.slice(0, -1)) directory = directory.directory(name)
    return { directory, item: root.item }
  }

  #rootOf(path: string): Root | undefined {
    let found: Root | undefined
    for (const root of this.#roots)
      if (isBelow(path, root.item.dir) && (!found || root.item.dir.length > found.item.dir.length)) found = root
    return found
  }

  #absolute(path: string): string {
    return `${this.#options.home}/${path}`
  }

  // ------------------------------------------------------------------------------------------------- directories

  #walkRoot(root: Root): void {
    if (this.#isThere(root)) this.#open.push({ directory: root.known, item: root.item })
  }

  /** Until this much was found that is not fetched yet, or nothing is left to be walked through. */
  #walkOpen(changesMax: number): void {
    while (this.#check.journal.changes < changesMax) {
      const next = this.#open.pop()
      if (!next) return
      this.#walk(next.directory, next.item)
    }
  }

  /** Whether the item's directory is there. A master that lost one still stands by the files that were in it. */
  #isThere(root: Root): boolean {
    const { dir } = root.item
    let why = `'${dir}' is not a directory.`
    let isUnknown = false
    try {
      if (this.#disk.stat(this.#absolute(dir)).kind === 'directory') {
        root.state = 'there'
        return true
      }
    } catch (thrown) {
      const isMissing = isGone(errnoOf(thrown))
      if (isMissing && root.state === 'neverSeen') return false
      isUnknown = !isMissing
      why = isMissing ? `The synced directory '${dir}' is missing.` : failureOf(dir, thrown, 'read').message
    }
    root.state = 'missing'
    if (this.#options.role === 'master') {
      this.#check.problem(dir, `${why} Its files stay on the workers until it is back.`)
      this.#holdDirectory(root.known)
    } else {
      this.#check.problem(dir, why)
      if (!isUnknown) this.#forgetBelow(root.known)
    }
    return false
  }

  #walk(directory: KnownDirectory, item: SyncedItem): void {
    let entries: ReturnType<Disk['readdir']>
    try {
      entries = this.#disk.readdir(this.#absolute(directory.path))
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) this.#forgetBelow(directory)
      else this.#unreadableDirectory(directory, thrown)
      return
    }
    this.#unreadable.delete(directory.path)
    const listing = ++directory.listings
    for (const entry of entries) {
      const name = decodeName(entry.name)
      if (name === undefined)
        this.#check.problem(`${directory.path}/${shownName(entry.name)}`, 'The name is not valid UTF-8, so it is not synced.')
      else if (entry.kind === 'directory') this.#walkBelow(directory, name, item)
      else if (this.#check.isSynced(item, name)) this.#check.examine(directory, name, item)
      else if (isTemporaryName(name)) this.#removeTemporary(`${directory.path}/${name}`)
    }
    for (const [name, row] of directory.files) if (this.#check.known.listingOf(row) !== listing) this.#check.forget(directory, name)
    for (const [name, below] of directory.directories) if (below.listing !== listing) this.#forgetDirectory(directory, name, below)
  }

  #walkBelow(directory: KnownDirectory, name: string, item: SyncedItem): void {
    const path = `${directory.path}/${name}`
    if (!item.recursive || this.#itemDirs.has(path)) return
    if (path.split('/').length >= limits.pathDepthMax) {
      this.#check.problem(path, `The directory is deeper than ${limits.pathDepthMax} directories, so it is not synced.`)
      return
    }
    const below = directory.directory(name)
    below.listing = directory.listings
    this.#open.push({ directory: below, item })
  }

  #unreadableDirectory(directory: KnownDirectory, thrown: unknown): void {
    this.#check.problem(directory.path, failureOf(directory.path, thrown, 'read').message)
    if (this.#options.role !== 'master') return
    this.#unreadable.add(directory.path)
    this.#holdDirectory(directory)
  }

  #holdDirectory(directory: KnownDirectory): void {
    for (const [name, row] of directory.files) this.#check.hold(`${directory.path}/${name}`, row)
    for (const below of directory.directories.values()) this.#holdDirectory(below)
  }

  #forgetDirectory(parent: KnownDirectory, name: string, directory: KnownDirectory): void {
    this.#forgetBelow(directory)
    parent.directories.delete(name)
  }

  #forgetBelow(directory: KnownDirectory): void {
    this.#unreadable.delete(directory.path)
    for (const name of directory.files.keys()) this.#check.forget(directory, name)
    for (const [name, below] of directory.directories) this.#forgetDirectory(directory, name, below)
  }

  /** A copy across file systems that a crash left behind; applying runs in the thread of the scanner, so it is nobody's. */
  #removeTemporary(path: string): void {
    if (this.#options.role === 'master') return
    try {
      this.#disk.unlink(this.#absolute(path))
    } catch (thrown) {
      if (!isGone(errnoOf(thrown))) this.#check.problem(path, failureOf(path, thrown, 'deleted').message)
    }
  }

  // ------------------------------------------------------------------------------------------------ single paths

  /** Scans one path, whatever is or was there, and at items below it. */
  #examine(path: string): void {
    for (const root of this.#roots) if (root.item.dir === path || isBelow(root.item.dir, path)) this.#walkRoot(root)
    const root = this.#rootOf(path)
    if (!root || this.#itemDirs.has(path) || !this.#isThere(root)) return
    const { item } = root
    const names = path.slice(item.dir.length + 1).split('/')
    if (!item.recursive && names.length > 1) return
    let directory = root.known
    for (const [index, name] of names.entries()) {
      const kind = this.#kindAt(`${directory.path}/${name}`)
      if (kind !== 'directory') {
        this.#examineOther(directory, name, item, kind)
        return
      }
      const below = directory.directories.get(name)
      this.#check.forget(directory, name)
      // A directory that is new here has more to be seen than the one path that was named.
      if (index === names.length - 1 || !below) {
        this.#walkBelow(directory, name, item)
        return
      }
      directory = below
    }
  }

  #kindAt(path: string): DiskStat['kind'] | 'gone' | 'unknown' {
    try {
      return this.#disk.lstat(this.#absolute(path)).kind
    } catch (thrown) {
      const errno = errnoOf(thrown)
      if (errno === undefined) throw thrown
      return isGone(errno) ? 'gone' : 'unknown'
    }
  }

  #examineOther(directory: KnownDirectory, name: string, item: SyncedItem, kind: DiskStat['kind'] | 'gone' | 'unknown'): void {
    const below = directory.directories.get(name)
    if (below && kind === 'unknown') {
      this.#walk(below, item)
      return
    }
    if (below) this.#forgetDirectory(directory, name, below)
    if (kind === 'gone') this.#check.forget(directory, name)
    else if (this.#check.isSynced(item, name)) this.#check.examine(directory, name, item)
  }
}
