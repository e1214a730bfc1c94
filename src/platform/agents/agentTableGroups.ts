/** The groups of the agents in the table: changed on the master, taken on a worker. Rules: domain/agents/groups. */

import { limits } from '../../base/limits.js'
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
import type { AgentTableState } from './agentTableState.js'

type IdAndGroups = [id: number, groups: string]

const groupsIn = (text: string): readonly string[] => (text === '' ? [] : text.split(','))
const rowOf = ([id, groups]: IdAndGroups): GroupsRow => ({ id, groups: groupsIn(groups) })

/** One more than fit on a page, so that the page knows whether it is the last. */
const page = `ORDER BY id LIMIT ${limits.groupsPageRowsMax + 1}`

export class AgentTableGroups {
  readonly #state: AgentTableState

  constructor(state: AgentTableState) {
    this.#state = state
  }

  state(): GroupsState {
    return {
      table: this.#state.text('groupsTable'),
      version: this.#state.number('groupsVersion'),
      hash: this.#state.known.groupsDigest(),
    }
  }

  /** On a master versions count in its own table; a worker's table counts in its master's, and in none of its own time as a master. */
  begin(newTable: () => string): void {
    const { database, role } = this.#state
    const table = this.#state.text('table')
    const counted = this.#state.text('groupsTable')
    const isOwn = table !== '' && counted === table
    if (table !== '' && isOwn === (role === 'master')) return
    this.#state.change(() => {
      // A worker that becomes a master has other rows than any master before: nothing that was acknowledged or counted holds.
      const drawn = table === '' || role === 'master' ? newTable() : table
      this.#state.keep('table', drawn)
      this.#state.keep('groupsTable', role === 'master' ? drawn : '')
      this.#state.keep('groupsVersion', 0)
      if (table === '' && role === 'master') this.#state.keep('groupsLost', 1)
      database.run('UPDATE agent SET groups_version = 0 WHERE groups_version > 0')
    })
  }

  get areLost(): boolean {
    return this.#state.number('groupsLost') === 1
  }

  change(change: GroupsChange | ExactGroups): number {
    assertGroupsChange(change)
    const changed = change.kind === 'exact' ? this.#others(change.rows) : this.#changedBy(change)
    if (changed.length > 0)
      this.#state.change(() => {
        this.#put(changed, this.#nextVersion())
        const ids = JSON.stringify(changed.map(([id]) => id))
        this.#state.database.run('UPDATE agent SET groups_changed = 1 WHERE id IN (SELECT value FROM json_each(?))', ids)
      })
    return changed.length
  }

  restore(rows: readonly GroupsRow[], isLast: boolean): number {
    for (const { groups } of rows) assertGroups(groups)
    return this.#state.change(() => {
      const restored = this.#state.database.rows<IdAndGroups>(
        `SELECT json_array(agent.id, copy.value->>1) AS row FROM agent JOIN json_each(?) AS copy ON agent.id = copy.value->>0
         WHERE groups_changed = 0 AND copy.value->>1 NOT IN ('', groups)`,
        JSON.stringify(rows.map(({ groups, id }) => [id, groups.join(',')])),
      )
      if (restored.length > 0) this.#put(restored, this.#nextVersion())
      if (isLast) this.#state.keep('groupsLost', 0)
      return restored.length
    })
  }

  /** Of these, the agents without any groups. To be called within a change. */
  giveDefault(ids: readonly number[]): number {
    const { known } = this.#state
    const without = [...new Set(ids)].filter((id) => known.groupHash(id) === '')
    if (without.length > 0)
      this.#put(
        without.map((id) => [id, defaultGroup]),
        this.#nextVersion(),
      )
    return without.length
  }

  page(since: number, after: number): GroupsPage {
    const { database } = this.#state
    const columns = 'SELECT json_array(id, groups) AS row FROM agent'
    const rows =
      since === 0
        ? database.rows<IdAndGroups>(`${columns} WHERE id > ? AND groups <> '' ${page}`, after)
        : // The plus keeps SQLite from walking all agents for a few that changed.
          database.rows<IdAndGroups>(
            `${columns} INDEXED BY agent_groups_version WHERE groups_version > ? AND groups_version > 0 AND +id > ? ${page}`,
            since,
            after,
          )
    return groupsPageOf(rows.map(rowOf), this.state())
  }

  take(rows: readonly GroupsRow[]): number {
    for (const { groups } of rows) assertGroups(groups)
    const { known } = this.#state
    const taken = rows.filter(({ id }) => known.has(id))
    if (taken.length > 0)
      this.#state.change(() =>
        this.#put(
          taken.map(({ groups, id }) => [id, groups.join(',')]),
          undefined,
        ),
      )
    return rows.length - taken.length
  }

  settle(state: GroupsState, full: { readonly ids: Uint32Array } | undefined): GroupsState {
    const { known } = this.#state
    this.#state.change(() => {
      if (full) {
        const named = new Set(full.ids)
        const others = known.ids().filter((id) => known.groupHash(id) !== '' && !named.has(id))
        this.#put(
          others.map((id) => [id, '']),
          undefined,
        )
      }
      this.#state.keep('groupsTable', state.table)
      this.#state.keep('groupsVersion', state.version)
    })
    return this.state()
  }

  multigroups(): readonly (readonly string[])[] {
    return this.#state.known.lists().map(groupsIn)
  }

  sizes(): ReadonlyMap<string, number> {
    return this.#state.known.sizes()
  }

  /** Of these rows, those that are not so in the table; of two about one agent the later one. */
  #others(rows: readonly GroupsRow[]): IdAndGroups[] {
    const wanted = new Map(rows.map(({ groups, id }) => [id, groups.join(',')]))
    return this.#state.database.rows<IdAndGroups>(
      `SELECT json_array(agent.id, wanted.value->>1) AS row FROM agent JOIN json_each(?) AS wanted ON agent.id = wanted.value->>0
       WHERE wanted.value->>1 <> groups`,
      JSON.stringify([...wanted]),
    )
  }

  #changedBy(change: GroupsChange): IdAndGroups[] {
    return this.#candidates(change).flatMap(([id, before]) => {
      const groups = changedGroups(groupsIn(before), change).join(',')
      return groups === before ? [] : [[id, groups]]
    })
  }

  #candidates(change: GroupsChange): IdAndGroups[] {
    const { database } = this.#state
    const columns = 'SELECT json_array(id, groups) AS row FROM agent WHERE'
    if (change.kind === 'dissolve')
      return database.rows<IdAndGroups>(`${columns} instr(',' || groups || ',', ',' || ? || ',') > 0`, change.group)
    return database.rows<IdAndGroups>(`${columns} id IN (SELECT value FROM json_each(?))`, JSON.stringify(change.ids))
  }

  #nextVersion(): number {
    const version = this.#state.number('groupsVersion') + 1
    this.#state.keep('groupsVersion', version)
    return version
  }

  /** Without a version, that of each agent stays. Written together for all agents with the same groups, which takes half the time. */
  #put(rows: readonly IdAndGroups[], version: number | undefined): void {
    const idsOf = new Map<string, number[]>()
    for (const [id, groups] of new Map(rows)) {
      const ids = idsOf.get(groups)
      if (ids) ids.push(id)
      else idsOf.set(groups, [id])
    }
    for (const [groups, ids] of idsOf) {
      const hash = groupsHash(groupsIn(groups))
      this.#state.database.run(
        `UPDATE agent SET groups = ?1, group_hash = ?2, groups_version = coalesce(?3, groups_version)
         WHERE id IN (SELECT value FROM json_each(?4)) AND groups <> ?1`,
        groups,
        hash,
        version ?? null,
        JSON.stringify(ids),
      )
      for (const id of ids) this.#state.known.set(id, groups, hash)
    }
  }
}
