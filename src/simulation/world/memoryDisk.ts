/**
 * A disk in memory, for simulations: everything that the tree's code needs of a real one, with faults, a capacity, and a
 * power switch. A power loss takes the content that was not synced; names, modes and directories are journaled, that is
 * durable in the order in which they were changed.
 */
import { invariant } from '../../base/invariant.js'
import type { Disk, DiskEntry, DiskStat } from '../../ports/files.js'
import { EditedTree, rawPrefix } from './tree/editedTree.js'
import { DiskError, type MemoryNode } from './tree/memoryNode.js'

export type DiskOperation = Exclude<keyof Disk, 'now' | 'heldPath'>

export interface DiskFault {
  readonly operation: DiskOperation
  /** Node's code of the error: `EIO`. */
  readonly code: string
  /** Only this path and what is below it; everything when left out. */
  readonly path?: string
}

export interface MemoryDiskOptions {
  /** Wall clock, in milliseconds since 1970. */
  readonly now: () => number
  /** Bytes of content that the disk takes. */
  readonly capacityBytes?: number
  /** Directories that are file systems of their own: nothing can be renamed into or out of them. */
  readonly mounts?: readonly string[]
}

/** What changes on a disk. */
export interface DiskChanges {
  /** Calls back with the path of every change, from any writer. Returns what ends that. */
  onChange(listener: (path: string) => void): () => void
  /** The path of an open file, and of a path that begins with an open directory. */
  named(of: string | number): string
  /** Another number after each change; undefined while calls fail that need not. */
  readonly version: number | undefined
}

interface OpenFile {
  readonly node: MemoryNode
  readonly path: string
}

/** What stands for an open directory at the beginning of a path, with its number behind it. */
const handles = '/proc/self/fd/'

const isWithin = (path: string, directory: string): boolean => path === directory || path.startsWith(`${directory}/`)

export class MemoryDisk extends EditedTree implements Disk, DiskChanges {
  /** Called before each call; what it throws is thrown by the call, before anything has changed. */
  onStep: ((operation: DiskOperation, path: string) => void) | undefined
  readonly #options: MemoryDiskOptions
  readonly #open = new Map<number, OpenFile>()
  readonly #faults = new Set<DiskFault>()
  #files = 2

  constructor(options: MemoryDiskOptions) {
    super(options.now)
    this.#options = options
  }

  // ------------------------------------------------------------------------------------------------- what goes wrong

  /** Makes an operation fail until the returned function is called. */
  fail(fault: DiskFault): () => void {
    this.#faults.add(fault)
    return () => {
      this.#faults.delete(fault)
    }
  }

  /** Ends all faults. */
  heal(): void {
    this.#faults.clear()
  }

  /** The process is gone; the disk is as it was. */
  killProcess(): void {
    this.#open.clear()
  }

  /** The power is gone: what was not synced is lost. */
  crash(): void {
    this.killProcess()
    const lose = (node: MemoryNode): void => {
      if (node.kind === 'file') node.loseUnsynced()
      for (const below of node.entries.values()) lose(below)
    }
    lose(this.names.root)
    this.changes += 1
  }

  get version(): number | undefined {
    return this.onStep || this.#faults.size > 0 ? undefined : this.changes
  }

  get openFiles(): number {
    return this.#open.size
  }

  /** Bytes of content, that of deleted files which are still open included. */
  get usedBytes(): number {
    const count = (node: MemoryNode): number =>
      [...node.entries.values()].reduce((sum, below) => sum + count(below), node.kind === 'file' ? node.size : 0)
    const unlinked = new Set([...this.#open.values()].map(({ node }) => node).filter((node) => node.links === 0))
    return [...unlinked].reduce((sum, node) => sum + node.size, count(this.names.root))
  }

  named(of: string | number): string {
    if (typeof of === 'number') return this.#open.get(of)?.path ?? ''
    if (!of.startsWith(handles)) return of
    const end = of.indexOf('/', handles.length)
    const held = this.#open.get(Number(of.slice(handles.length, end < 0 ? undefined : end)))
    invariant(held !== undefined, `the directory of ${of} is open`)
    const path = this.names.pathOf(held.node)
    if (path === undefined) throw new DiskError('ENOENT', 'open', of)
    return end < 0 ? path : path + of.slice(end)
  }

  // --------------------------------------------------------------------------------------------------- as the Disk port

  now(): number {
    return this.#options.now()
  }

  lstat(given: string): DiskStat {
    const path = this.#step('lstat', given)
    return this.names.must(path, false, 'lstat').stat()
  }

  stat(given: string): DiskStat {
    const path = this.#step('stat', given)
    return this.names.must(path, true, 'stat').stat()
  }

  realpath(given: string): string {
    const path = this.#step('realpath', given)
    this.names.must(path, true, 'realpath')
    return this.names.resolve(path, true, 'realpath').path
  }

  readdir(given: string): readonly DiskEntry[] {
    const path = this.#step('readdir', given)
    const directory = this.names.directory(path, 'readdir')
    directory.listing ??= Array.from(directory.entries, ([key, { kind }]) => ({
      name: key.startsWith(rawPrefix) ? Buffer.from(key.slice(rawPrefix.length), 'latin1') : Buffer.from(key),
      kind,
    }))
    return directory.listing
  }

  open(given: string, flags: 'r' | 'r+' | 'w' | 'wx', mode = 0o600): number {
    const path = this.#step('open', given)
    let node = this.names.resolve(path, false, 'open').node
    if (node?.kind === 'symlink') throw new DiskError('ELOOP', 'open', path)
    if (node && flags === 'wx') throw new DiskError('EEXIST', 'open', path)
    if (node?.kind === 'directory' && flags !== 'r') throw new DiskError('EISDIR', 'open', path)
    if (!node && (flags === 'r' || flags === 'r+')) throw new DiskError('ENOENT', 'open', path)
    if (node && flags === 'w' && node.size > 0) {
      node.truncate(0)
      this.touch(node)
      this.changed(path)
    }
    node ??= this.add(path, this.node('file', mode))
    return this.#opening(node, path)
  }

  fstat(file: number): DiskStat {
    return this.#opened(file, 'fstat').node.stat()
  }

  read(file: number, into: Uint8Array, offset: number, length: number, position: number): number {
    const { node, path } = this.#opened(file, 'read')
    if (node.kind === 'directory') throw new DiskError('EISDIR', 'read', path)
    const part = node.content.subarray(position, position + length)
    into.set(part, offset)
    return part.length
  }

  write(file: number, from: Uint8Array, offset: number, length: number, position: number): number {
    const { node, path } = this.#opened(file, 'write')
    const free = this.#free()
    const grows = Math.max(0, position + length - node.size)
    const count = grows <= free ? length : length - (grows - free)
    if (count <= 0 && length > 0) throw new DiskError('ENOSPC', 'write', path)
    node.write(from.subarray(offset, offset + count), position)
    this.touch(node)
    this.changed(path)
    return count
  }

  truncate(file: number, size: number): void {
    const { node, path } = this.#opened(file, 'truncate')
    node.truncate(size)
    this.touch(node)
    this.changed(path)
  }

  sync(file: number): void {
    this.#opened(file, 'sync').node.sync()
  }

  close(file: number): void {
    this.#opened(file, 'close')
    this.#open.delete(file)
  }

  openDirectory(given: string): number {
    const path = this.#step('openDirectory', given)
    const node = this.names.must(path, false, 'openDirectory')
    if (node.kind !== 'directory') throw new DiskError('ENOTDIR', 'openDirectory', path)
    return this.#opening(node, path)
  }

  heldPath(directory: number): string {
    return `${handles}${directory}`
  }

  chmod(file: number, mode: number): void {
    const { node, path } = this.#opened(file, 'chmod')
    this.changeMode(node, path, mode)
  }

  /** All files have the same owner here. */
  keepOwner(file: number, of: number): void {
    this.#opened(file, 'keepOwner')
    this.#opened(of, 'keepOwner')
  }

  mkdir(given: string, mode: number): void {
    const path = this.#step('mkdir', given)
    if (this.names.resolve(path, false, 'open').node) throw new DiskError('EEXIST', 'mkdir', path)
    this.add(path, this.node('directory', mode))
  }

  rename(givenFrom: string, givenTo: string): void {
    const to = this.#step('rename', givenTo)
    const from = this.named(givenFrom)
    const source = this.names.resolve(from, false, 'rename')
    const target = this.names.resolve(to, false, 'rename')
    if (this.#mountOf(source.path) !== this.#mountOf(target.path)) throw new DiskError('EXDEV', 'rename', to)
    if (!source.node) throw new DiskError('ENOENT', 'rename', from)
    if (source.node === target.node) return
    if (target.node?.kind === 'directory' && source.node.kind !== 'directory') throw new DiskError('EISDIR', 'rename', to)
    if (target.node && target.node.kind !== 'directory' && source.node.kind === 'directory') throw new DiskError('ENOTDIR', 'rename', to)
    if (target.node && target.node.entries.size > 0) throw new DiskError('ENOTEMPTY', 'rename', to)
    this.names.remove(source.path)
    this.add(to, source.node)
    source.node.ctimeNs = this.nowNs()
    this.changed(from)
  }

  unlink(given: string): void {
    const path = this.#step('unlink', given)
    if (this.names.must(path, false, 'unlink').kind === 'directory') throw new DiskError('EISDIR', 'unlink', path)
    this.names.remove(path)
    this.changed(path)
  }

  rmdir(given: string): void {
    const path = this.#step('rmdir', given)
    const node = this.names.must(path, false, 'rmdir')
    if (node.kind !== 'directory') throw new DiskError('ENOTDIR', 'rmdir', path)
    if (node.entries.size > 0) throw new DiskError('ENOTEMPTY', 'rmdir', path)
    this.names.remove(path)
    this.changed(path)
  }

  // ---------------------------------------------------------------------------------------------------------- inside

  /** Returns the path without a handle in it: what the path leads to after all that `onStep` did. */
  #step(operation: DiskOperation, given: string): string {
    if (this.onStep) this.onStep(operation, this.named(given))
    const path = this.named(given)
    for (const fault of this.#faults)
      if (fault.operation === operation && (fault.path === undefined || isWithin(path, fault.path)))
        throw new DiskError(fault.code, operation, path)
    return path
  }

  #opening(node: MemoryNode, path: string): number {
    const file = ++this.#files
    this.#open.set(file, { node, path })
    return file
  }

  #opened(file: number, operation: DiskOperation): OpenFile {
    const opened = this.#open.get(file)
    this.#step(operation, opened?.path ?? '')
    if (!opened) throw new DiskError('EBADF', operation, '')
    return opened
  }

  #free(): number {
    const { capacityBytes } = this.#options
    return capacityBytes === undefined ? Number.POSITIVE_INFINITY : capacityBytes - this.usedBytes
  }

  #mountOf(path: string): string | undefined {
    return this.#options.mounts?.find((mount) => isWithin(path, mount))
  }
}
