/** Groups of agents in a fake wazuh-db, by the rules that were recorded. */
import { groupsHash, isGroupName } from '../../../../src/domain/agents/groups.js'
import { SqlError, type WazuhDbTables } from './wazuhDbTables.js'

export interface GroupsSetting {
  readonly id: unknown
  readonly name?: unknown
  readonly groups?: unknown
}

const modes = ['override', 'append', 'empty_only', 'remove'] as const
export type GroupsMode = (typeof modes)[number]
export const isGroupsMode = (mode: string): mode is GroupsMode => modes.some((one) => one === mode)

export class WazuhDbGroups {
  readonly #tables: WazuhDbTables
  readonly #isWorker: boolean

  constructor(tables: WazuhDbTables, isWorker: boolean) {
    this.#tables = tables
    this.#isWorker = isWorker
  }

  /** Whether all of it could be done; what can be is done. */
  set(mode: GroupsMode, syncStatus: string, settings: readonly GroupsSetting[]): boolean {
    this.#tables.groupsChanged()
    return settings.map((setting) => this.#setOne(mode, syncStatus, setting)).every(Boolean)
  }

  of(id: number): readonly string[] {
    const sql = 'SELECT name FROM belongs JOIN `group` ON id=id_group WHERE id_agent=? ORDER BY priority'
    return this.#tables.rows(sql, id).map((row) => String(row['name']))
  }

  delete(name: string): void {
    const id = this.#idOf(name)
    if (id === undefined) return
    const members = this.#tables.rows('SELECT id_agent FROM belongs WHERE id_group=?', id).map((row) => Number(row['id_agent']))
    this.#tables.run('DELETE FROM `group` WHERE id=?', id)
    this.#tables.groupsChanged()
    for (const member of members) {
      if (this.of(member).length === 0) this.#add(member, 'default', 0)
      this.#write(member, 'syncreq')
    }
  }

  recalculate(): void {
    for (const { group, id } of this.#tables.rows('SELECT id,`group` FROM agent WHERE id>0 ORDER BY id')) {
      if ((this.of(Number(id)).join(',') || null) === group) continue
      this.#tables.groupsChanged()
      this.#writeText(Number(id))
    }
  }

  #setOne(mode: GroupsMode, syncStatus: string, { groups, id, name }: GroupsSetting): boolean {
    if (typeof id !== 'number' || !Array.isArray(groups)) return false
    if (mode === 'override' && this.#isWorker && typeof name !== 'string') return false
    const names: readonly unknown[] = groups
    const isValid = (group: unknown): group is string => typeof group === 'string' && isGroupName(group)
    if (names.length > 128 || !names.every(isValid)) return false
    try {
      if (mode === 'empty_only' && this.of(id).length > 0) return true
      const isDone = mode === 'remove' ? this.#remove(id, names) : this.#assign(id, mode === 'override', name, names)
      this.#write(id, syncStatus)
      return isDone
    } catch (thrown) {
      if (thrown instanceof SqlError) return false
      throw thrown
    }
  }

  #assign(id: number, isOverride: boolean, name: unknown, groups: readonly string[]): boolean {
    if (isOverride) this.#tables.run('DELETE FROM belongs WHERE id_agent=?', id)
    let isDone = true
    let priority = Number(this.#tables.value('SELECT COALESCE(MAX(priority)+1,0) FROM belongs WHERE id_agent=?', id))
    for (const group of groups) {
      if (this.#idOf(group) === undefined) {
        isDone = false
        continue
      }
      if (isOverride && typeof name === 'string') this.#makeRow(id, name)
      if (!this.of(id).includes(group)) this.#add(id, group, priority++)
    }
    return isDone
  }

  #remove(id: number, groups: readonly string[]): boolean {
    for (const group of groups) {
      const groupId = this.#idOf(group)
      if (groupId !== undefined) this.#tables.run('DELETE FROM belongs WHERE id_agent=? AND id_group=?', id, groupId)
    }
    if (this.of(id).length === 0) this.#add(id, 'default', 0)
    return true
  }

  #makeRow(id: number, name: string): void {
    this.#tables.run(
      "INSERT INTO agent (id,name,ip,register_ip,date_add) VALUES (?,?,'0.0.0.0','0.0.0.0',strftime('%s','now')) ON CONFLICT DO NOTHING",
      id,
      name,
    )
  }

  #add(id: number, group: string, priority: number): void {
    const groupId = this.#idOf(group)
    if (groupId === undefined) throw new SqlError('no such group')
    this.#tables.run('INSERT INTO belongs (id_agent,id_group,priority) VALUES (?,?,?)', id, groupId, priority)
  }

  #write(id: number, syncStatus: string): void {
    this.#writeText(id)
    this.#tables.run('UPDATE agent SET group_sync_status=? WHERE id=?', syncStatus, id)
  }

  #writeText(id: number): void {
    const groups = this.of(id)
    this.#tables.run('UPDATE agent SET `group`=?,group_hash=? WHERE id=?', groups.join(',') || null, groupsHash(groups) || null, id)
  }

  #idOf(group: string): number | undefined {
    const id = this.#tables.value('SELECT id FROM `group` WHERE name=?', group)
    return typeof id === 'number' ? id : undefined
  }
}
