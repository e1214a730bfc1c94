/**
 * What is on a simulated disk, and what an operator does to it by hand, past all faults: files with their names, and those
 * that want to know of changes.
 */
import type { DiskStat } from '../../../ports/files.js'
import { MemoryNames, namesOf, parentOf } from './memoryNames.js'
import { DiskError, MemoryNode } from './memoryNode.js'

/** Names that are not UTF-8 have keys that no path can name. */
export const rawPrefix = '/raw:'

export class EditedTree {
  protected readonly names: MemoryNames
  /** How many there were. */
  protected changes = 0
  readonly #now: () => number
  readonly #listeners = new Set<(path: string) => void>()
  #inodes = 1n

  /** @param now wall clock, in milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now
    this.names = new MemoryNames(this.node('directory', 0o755))
  }

  /** Calls back with the path of every change, from any writer. Returns what ends that. */
  onChange(listener: (path: string) => void): () => void {
    this.#listeners.add(listener)
    return () => {
      this.#listeners.delete(listener)
    }
  }

  setMode(path: string, mode: number): void {
    this.changeMode(this.names.must(path, true, 'chmod'), path, mode)
  }

  makeDirectories(path: string, mode = 0o770): void {
    let at = ''
    for (const name of namesOf(path)) {
      at += `/${name}`
      if (this.names.resolve(at, true, 'open').node === undefined) this.add(at, this.node('directory', mode))
    }
  }

  /** Writes a file in place, durably, with all that is needed above it; what is no file and no directory is replaced. */
  edit(path: string, content: Uint8Array, mode = 0o660): void {
    this.makeDirectories(parentOf(path))
    const present = this.names.resolve(path, false, 'open').node
    if (present?.kind === 'directory') throw new DiskError('EISDIR', 'edit', path)
    const node = present?.kind === 'file' ? present : this.add(path, this.node('file', mode))
    node.mode = mode
    node.truncate(0)
    node.write(content, 0)
    node.sync()
    this.touch(node)
    this.changed(path)
  }

  makeSymlink(target: string, path: string): void {
    if (this.names.resolve(path, false, 'open').node) throw new DiskError('EEXIST', 'symlink', path)
    this.add(path, this.node('symlink', 0o777, target))
  }

  /** A second name for a file. */
  makeHardLink(present: string, path: string): void {
    this.add(path, this.names.must(present, false, 'link'))
  }

  /** A FIFO, a socket or a device. */
  makeOther(path: string): void {
    this.add(path, this.node('other', 0o600))
  }

  /** A file with a name that is not UTF-8. */
  makeRaw(directory: string, name: Uint8Array): void {
    const into = this.names.directory(directory, 'open')
    this.names.put(into, rawPrefix + Buffer.from(name).toString('latin1'), this.node('file', 0o660))
    this.changed(directory)
  }

  /** Deletes whatever is there, with all that is below it. */
  remove(path: string): void {
    this.names.remove(path)
    this.changed(path)
  }

  contentOf(path: string): Buffer {
    return Buffer.from(this.names.must(path, true, 'open').content)
  }

  /** What a directory holds, as an operator sees it past all faults; nothing when it is not there. */
  namesIn(path: string): readonly string[] {
    const { node } = this.names.resolve(path, true, 'readdir')
    return node?.kind === 'directory' ? [...node.entries.keys()] : []
  }

  // -------------------------------------------------------------------------------------------- of every change

  protected changeMode(node: MemoryNode, path: string, mode: number): void {
    node.mode = mode
    node.ctimeNs = this.nowNs()
    this.changed(path)
  }

  protected nowNs(): bigint {
    return BigInt(Math.round(this.#now() * 1_000_000))
  }

  protected node(kind: DiskStat['kind'], mode: number, target?: string): MemoryNode {
    return new MemoryNode(kind, ++this.#inodes, mode, this.nowNs(), target)
  }

  protected touch(node: MemoryNode): void {
    node.mtimeNs = this.nowNs()
    node.ctimeNs = node.mtimeNs
  }

  protected changed(path: string): void {
    this.changes += 1
    for (const listener of this.#listeners) listener(path)
  }

  /** Gives a node its name, in place of what had it. */
  protected add(path: string, node: MemoryNode): MemoryNode {
    this.names.add(path, node)
    this.changed(path)
    return node
  }
}
