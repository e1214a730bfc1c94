/** The names on a simulated disk: directories, and the way through symlinks to what a path means. */
import { DiskError, type MemoryNode } from './memoryNode.js'

const symlinksMax = 40
const nameBytesMax = 255

export interface Resolved {
  readonly node: MemoryNode | undefined
  /** Absolute, without symlinks. */
  readonly path: string
}

export class MemoryNames {
  readonly root: MemoryNode
  /** Where plain ways led since a name last changed: a tree is scanned far more often than it changes. */
  readonly #found = new Map<string, Resolved>()

  constructor(root: MemoryNode) {
    this.root = root
  }

  /** Gives a node its name, in place of what had it. */
  add(path: string, node: MemoryNode): void {
    const name = nameOf(path)
    if (Buffer.byteLength(name) > nameBytesMax) throw new DiskError('ENAMETOOLONG', 'open', path)
    const directory = this.directory(parentOf(path), 'open')
    this.put(directory, name, node)
  }

  put(directory: MemoryNode, key: string, node: MemoryNode): void {
    this.#take(directory, key)
    directory.entries.set(key, node)
    node.links += 1
    if (node.kind === 'directory') node.place = { directory, name: key }
  }

  remove(path: string): void {
    this.#take(this.directory(parentOf(path), 'unlink'), nameOf(path))
  }

  #take(directory: MemoryNode, key: string): void {
    this.#found.clear()
    const node = directory.entries.get(key)
    if (node) {
      node.links -= 1
      node.place = undefined
    }
    directory.entries.delete(key)
    directory.listing = undefined
  }

  /** Where a directory is now; undefined when it is deleted, or one above it. */
  pathOf(directory: MemoryNode): string | undefined {
    let path = ''
    let top = directory
    for (; top.place; top = top.place.directory) path = `/${top.place.name}${path}`
    return top === this.root ? path : undefined
  }

  directory(path: string, operation: string): MemoryNode {
    const node = this.must(path, true, operation)
    if (node.kind !== 'directory') throw new DiskError('ENOTDIR', operation, path)
    return node
  }

  must(path: string, follow: boolean, operation: string): MemoryNode {
    const { node } = this.resolve(path, follow, operation)
    if (!node) throw new DiskError('ENOENT', operation, path)
    return node
  }

  /** What a path means, through the symlinks on the way and with `follow` also through the one at its end. */
  resolve(path: string, follow: boolean, operation: string): Resolved {
    return this.#found.get(path) ?? this.#resolvePlain(path) ?? this.#resolveAny(path, follow, operation)
  }

  /** The common case, without a list of names: a normalized path that leads through directories only. */
  #resolvePlain(path: string): Resolved | undefined {
    let node: MemoryNode | undefined = this.root
    for (let from = 1, to = 0; to < path.length; from = to + 1) {
      to = path.indexOf('/', from)
      if (to < 0) to = path.length
      const name = path.slice(from, to)
      if (name === '' || name === '.' || name === '..' || node?.kind !== 'directory') return undefined
      node = node.entries.get(name)
      if (node?.kind === 'symlink') return undefined
    }
    const resolved = { node, path }
    if (node) this.#found.set(path, resolved)
    return resolved
  }

  #resolveAny(path: string, follow: boolean, operation: string): Resolved {
    const names = namesOf(path)
    let node: MemoryNode | undefined = this.root
    let trail: string[] = []
    let links = 0
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      if (name === '..') trail.pop()
      if (name === '..' || name === '.') {
        node = this.#at(trail)
        continue
      }
      if (node?.kind !== 'directory') throw new DiskError(node ? 'ENOTDIR' : 'ENOENT', operation, path)
      const next: MemoryNode | undefined = node.entries.get(name)
      if (next?.kind === 'symlink' && (names.length > 0 || follow)) {
        if (++links > symlinksMax) throw new DiskError('ELOOP', operation, path)
        names.unshift(...namesOf(next.target))
        if (next.target.startsWith('/')) trail = []
        node = this.#at(trail)
      } else {
        node = next
        trail.push(name)
      }
    }
    return { node, path: `/${trail.join('/')}` }
  }

  #at(trail: readonly string[]): MemoryNode | undefined {
    let node: MemoryNode | undefined = this.root
    for (const name of trail) node = node?.entries.get(name)
    return node
  }
}

export const namesOf = (path: string): string[] => path.split('/').filter((name) => name !== '')
export const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))
