/** What a simulated disk is made of: files with content that may not be durable yet, directories, symlinks and others. */
import type { DiskEntry, DiskStat } from '../../../ports/files.js'

/** Fails like a system call: `code` is Node's (`ENOENT`). */
export class DiskError extends Error {
  override readonly name = 'DiskError'
  readonly code: string

  constructor(code: string, operation: string, path: string) {
    super(`${code}: simulated, ${operation} '${path}'`)
    this.code = code
  }
}

export class MemoryNode {
  readonly kind: DiskStat['kind']
  readonly inode: bigint
  readonly entries = new Map<string, MemoryNode>()
  /** What a reading of the directory said last; forgotten when an entry changes. */
  listing: readonly DiskEntry[] | undefined
  /** Of a symlink. */
  readonly target: string
  mode: number
  mtimeNs: bigint
  ctimeNs: bigint
  /** How many names it has. */
  links = 0
  /** Of a directory: where it is. */
  place: { readonly directory: MemoryNode; readonly name: string } | undefined
  #content: Buffer = Buffer.alloc(0)
  #size = 0
  #durable: Buffer = Buffer.alloc(0)
  /** The durable content is the same memory: copy before changing it. */
  #isShared = false

  constructor(kind: DiskStat['kind'], inode: bigint, mode: number, nowNs: bigint, target = '') {
    this.kind = kind
    this.inode = inode
    this.mode = mode
    this.mtimeNs = nowNs
    this.ctimeNs = nowNs
    this.target = target
  }

  get size(): number {
    return this.kind === 'symlink' ? this.target.length : this.#size
  }

  get content(): Buffer {
    return this.#content.subarray(0, this.#size)
  }

  stat(): DiskStat {
    const { ctimeNs, inode, kind, links, mode, mtimeNs, size } = this
    return { kind, size, mode, mtimeNs, ctimeNs, inode, links }
  }

  write(bytes: Uint8Array, position: number): void {
    this.#resize(Math.max(this.#size, position + bytes.length))
    this.#content.set(bytes, position)
  }

  truncate(size: number): void {
    this.#resize(size)
  }

  sync(): void {
    this.#durable = this.content
    this.#isShared = true
  }

  /** The power fails: only what was synced is left. */
  loseUnsynced(): void {
    this.#content = this.#durable
    this.#size = this.#durable.length
    this.#isShared = true
  }

  #resize(size: number): void {
    if (this.#isShared || size > this.#content.length) {
      const grown = Buffer.alloc(size > this.#content.length ? Math.max(size, 2 * this.#size) : this.#content.length)
      grown.set(this.content)
      this.#content = grown
      this.#isShared = false
    }
    if (size > this.#size) this.#content.fill(0, this.#size, size)
    this.#size = size
  }
}
