/**
 * Which agents the table has and their groups, kept in memory: the hash over all of them, the lists of groups and the groups'
 * sizes cost what changed, and no reading of all rows.
 */
import { createHash } from 'node:crypto'
import { placeOf } from '../../domain/agents/agentIds.js'

const hashChars = 8

/** Groups as one text, joined by commas, with their hash (domain/agents/groups), and how many agents have exactly these. */
interface Groups {
  readonly text: string
  readonly hash: string
  agents: number
}

/** Hashes of the agents that have groups, one after the other in order of their IDs. */
interface Layout {
  readonly ids: Uint32Array
  readonly text: Buffer
}

const noGroups: Groups = { text: '', hash: '', agents: 0 }

export class KnownAgents {
  readonly #groups = new Map<number, Groups>()
  /** Those that some agent has, by their text. */
  readonly #held = new Map<string, Groups>()
  #layout: Layout | undefined
  /** Agents whose groups are other ones since the layout was made. */
  readonly #changed = new Set<number>()
  #digest: string | undefined

  /** IDs with their groups and the hashes of these; both empty without groups. */
  constructor(rows: Iterable<readonly [id: number, groups: string, hash: string]>) {
    for (const [id, groups, hash] of rows) this.set(id, groups, hash)
  }

  get size(): number {
    return this.#groups.size
  }

  has(id: number): boolean {
    return this.#groups.has(id)
  }

  /** Empty without groups. */
  groupHash(id: number): string {
    return this.#groups.get(id)?.hash ?? ''
  }

  ids(): number[] {
    return [...this.#groups.keys()].sort((a, b) => a - b)
  }

  /** Without groups when it is new. */
  add(id: number): void {
    if (!this.#groups.has(id)) this.#groups.set(id, noGroups)
  }

  set(id: number, groups: string, hash: string): void {
    if (this.#groups.get(id)?.text === groups) return
    this.#release(id)
    this.#groups.set(id, groups === '' ? noGroups : this.#hold(groups, hash))
  }

  delete(id: number): void {
    this.#release(id)
    this.#groups.delete(id)
  }

  /** The groups of each agent that has several, as one text; each text once, in order. */
  lists(): string[] {
    return [...this.#held.keys()].filter((text) => text.includes(',')).sort()
  }

  /** How many agents each group has, in order of their names. */
  sizes(): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>()
    for (const { agents, text } of this.#held.values())
      for (const group of text.split(',')) sizes.set(group, (sizes.get(group) ?? 0) + agents)
    return new Map([...sizes].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** See GroupsState. */
  groupsDigest(): string {
    if (!this.#layout || this.#changed.size > 0) {
      this.#layout = this.#nextLayout(this.#layout)
      this.#changed.clear()
      this.#digest = undefined
    }
    this.#digest ??= createHash('sha1').update(this.#layout.text).digest('hex')
    return this.#digest
  }

  #hold(text: string, hash: string): Groups {
    const groups = this.#held.get(text) ?? { text, hash, agents: 0 }
    groups.agents += 1
    this.#held.set(text, groups)
    return groups
  }

  /** The agent's groups are about to be other ones. */
  #release(id: number): void {
    if (this.#layout) this.#changed.add(id)
    const groups = this.#groups.get(id)
    if (!groups || groups === noGroups) return
    groups.agents -= 1
    if (groups.agents === 0) this.#held.delete(groups.text)
  }

  /** What lies between the changed agents is copied in one piece. */
  #nextLayout(layout: Layout = { ids: new Uint32Array(), text: Buffer.alloc(0) }): Layout {
    const changed = Uint32Array.from(this.#layout ? this.#changed : this.#groups.keys()).sort()
    const ids = new Uint32Array(layout.ids.length + changed.length)
    const text = Buffer.allocUnsafeSlow(ids.length * hashChars)
    let from = 0
    let to = 0
    const copyUntil = (end: number): void => {
      if (end === from) return
      ids.set(layout.ids.subarray(from, end), to)
      layout.text.copy(text, to * hashChars, from * hashChars, end * hashChars)
      to += end - from
      from = end
    }
    for (const id of changed) {
      copyUntil(placeOf(layout.ids, id, from))
      if (layout.ids[from] === id) from += 1
      const hash = this.groupHash(id)
      if (hash === '') continue
      text.write(hash, to * hashChars, 'latin1')
      ids[to++] = id
    }
    copyUntil(layout.ids.length)
    return { ids: ids.subarray(0, to), text: text.subarray(0, to * hashChars) }
  }
}
