/** The groups of the agents in a simulated table: changed on the master, taken on a worker. Rules: domain/agents/groups. */
import { createHash } from 'node:crypto'
import {
  assertGroups,
  assertGroupsChange,
  changedGroups,
  defaultGroup,
  type ExactGroups,
  type GroupsChange,
  type GroupsPage,
  type GroupsRow,
  type GroupsState,
  groupsHash,
  groupsPageOf,
} from '../../domain/agents/groups.js'

/** What the groups need of an agent. */
export interface GroupedAgent {
  groups: readonly string[]
  groupsVersion: number
  /** In this table, and not given as a default or from a copy. */
  areGroupsChanged: boolean
}

export const ungrouped = (): GroupedAgent => ({ groups: [], groupsVersion: 0, areGroupsChanged: false })

export class MemoryAgentGroups {
  readonly #agents: ReadonlyMap<number, GroupedAgent>
  #counted: { readonly table: string; readonly version: number }
  #areLost: boolean
  /** Over all; nothing after a change. */
  #hash: string | undefined

  constructor(agents: ReadonlyMap<number, GroupedAgent>, role: 'master' | 'worker', table: string) {
    this.#agents = agents
    this.#counted = { table: role === 'master' ? table : '', version: 0 }
    this.#areLost = role === 'master'
  }

  get areLost(): boolean {
    return this.#areLost
  }

  /** Agents came or went. */
  othersAreThere(): void {
    this.#hash = undefined
  }

  state(): GroupsState {
    const hashes = (): string[] => this.#sorted().map(([, { groups }]) => groupsHash(groups))
    this.#hash ??= createHash('sha1').update(hashes().join('')).digest('hex')
    return { ...this.#counted, hash: this.#hash }
  }

  change(change: GroupsChange | ExactGroups): number {
    assertGroupsChange(change)
    const wanted = change.kind === 'exact' ? this.#exact(change) : this.#changedBy(change)
    const changed = [...wanted].filter(([agent, groups]) => groups.join() !== agent.groups.join())
    for (const [agent] of changed) agent.areGroupsChanged = true
    return this.#put(changed)
  }

  /** Of two rows about one agent the later one. */
  #exact({ rows }: ExactGroups): ReadonlyMap<GroupedAgent, readonly string[]> {
    return new Map(rows.flatMap(({ groups, id }) => this.#here([id]).map((agent) => [agent, [...groups]] as const)))
  }

  #changedBy(change: GroupsChange): ReadonlyMap<GroupedAgent, readonly string[]> {
    const ids = change.kind === 'dissolve' ? this.#agents.keys() : change.ids
    return new Map(this.#here(ids).map((agent) => [agent, changedGroups(agent.groups, change)]))
  }

  /** Of these, the agents without any groups. */
  giveDefault(ids: readonly number[]): number {
    return this.#put(
      this.#here(ids)
        .filter(({ groups }) => groups.length === 0)
        .map((agent) => [agent, [defaultGroup]]),
    )
  }

  restore(rows: readonly GroupsRow[], isLast: boolean): number {
    for (const { groups } of rows) assertGroups(groups)
    const restored = rows.flatMap(({ groups, id }) => {
      const agent = this.#agents.get(id)
      const isOther = groups.length > 0 && agent?.groups.join() !== groups.join()
      return agent && isOther && !agent.areGroupsChanged ? [[agent, groups] as const] : []
    })
    if (isLast) this.#areLost = false
    return this.#put(restored)
  }

  page(since: number, after: number): GroupsPage {
    const rows = this.#sorted()
      .filter(([id, { groups, groupsVersion }]) => id > after && (since === 0 ? groups.length > 0 : groupsVersion > since))
      .map(([id, { groups }]) => ({ id, groups }))
    return groupsPageOf(rows, this.state())
  }

  take(rows: readonly GroupsRow[]): number {
    for (const { groups } of rows) assertGroups(groups)
    let unknown = 0
    for (const { groups, id } of rows) {
      const agent = this.#agents.get(id)
      if (agent) this.#set(agent, [...groups])
      else unknown += 1
    }
    return unknown
  }

  settle({ table, version }: GroupsState, full: { readonly ids: Uint32Array } | undefined): GroupsState {
    const named = full && new Set(full.ids)
    if (named) for (const [id, agent] of this.#agents) if (!named.has(id)) this.#set(agent, [])
    this.#counted = { table, version }
    return this.state()
  }

  multigroups(): readonly (readonly string[])[] {
    const texts = [...this.#agents.values()].map(({ groups }) => groups.join()).filter((text) => text.includes(','))
    return [...new Set(texts)].sort().map((text) => text.split(','))
  }

  sizes(): ReadonlyMap<string, number> {
    const sizes = new Map<string, number>()
    for (const { groups } of this.#agents.values()) for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1)
    return new Map([...sizes].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  #put(changes: readonly (readonly [GroupedAgent, readonly string[]])[]): number {
    if (changes.length === 0) return 0
    const version = this.#counted.version + 1
    this.#counted = { ...this.#counted, version }
    for (const [agent, groups] of changes) {
      this.#set(agent, groups)
      agent.groupsVersion = version
    }
    return changes.length
  }

  #set(agent: GroupedAgent, groups: readonly string[]): void {
    agent.groups = groups
    this.#hash = undefined
  }

  #here(ids: Iterable<number>): GroupedAgent[] {
    return [...new Set(ids)].flatMap((id) => this.#agents.get(id) ?? [])
  }

  #sorted(): [number, GroupedAgent][] {
    return [...this.#agents].sort(([a], [b]) => a - b)
  }
}
