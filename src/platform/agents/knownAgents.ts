/** Which agents the table has and the hashes of their groups, kept in memory: the hash over all costs what changed, not a pass over all rows. */
import { createHash } from 'node:crypto'

const hashChars = 8

/** Hashes of the agents that have groups, one after the other in order of their IDs. */
interface Layout {
  readonly ids: Uint32Array
  readonly text: Buffer
}

export class KnownAgents {
  readonly #hashes: Map<number, string>
  #layout: Layout | undefined
  #digest: string | undefined

  /** IDs with the hashes of their groups (domain/agents/groups). */
  constructor(hashes: Iterable<readonly [number, string]>) {
    this.#hashes = new Map(hashes)
  }

  get size(): number {
    return this.#hashes.size
  }

  has(id: number): boolean {
    return this.#hashes.has(id)
  }

  /** Empty without groups. */
  groupHash(id: number): string {
    return this.#hashes.get(id) ?? ''
  }

  ids(): number[] {
    return [...this.#hashes.keys()].sort((a, b) => a - b)
  }

  set(id: number, hash: string): void {
    const before = this.groupHash(id)
    this.#hashes.set(id, hash)
    if (before === hash) return
    this.#digest = undefined
    if (before === '' || hash === '') this.#layout = undefined
    else this.#layout?.text.write(hash, hashChars * indexOf(this.#layout.ids, id), 'latin1')
  }

  delete(id: number): void {
    if (this.groupHash(id) !== '') {
      this.#layout = undefined
      this.#digest = undefined
    }
    this.#hashes.delete(id)
  }

  /** See GroupsState. */
  groupsDigest(): string {
    this.#layout ??= this.#makeLayout()
    this.#digest ??= createHash('sha1').update(this.#layout.text).digest('hex')
    return this.#digest
  }

  #makeLayout(): Layout {
    const ids = new Uint32Array(this.#hashes.size)
    let count = 0
    for (const [id, hash] of this.#hashes) if (hash !== '') ids[count++] = id
    const sorted = ids.subarray(0, count).sort()
    const text = Buffer.alloc(count * hashChars)
    for (const [index, id] of sorted.entries()) text.write(this.groupHash(id), index * hashChars, 'latin1')
    return { ids: sorted, text }
  }
}

const indexOf = (sorted: Uint32Array, id: number): number => {
  let low = 0
  for (let high = sorted.length - 1; low < high; ) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] ?? 0) < id) low = middle + 1
    else high = middle
  }
  return low
}
