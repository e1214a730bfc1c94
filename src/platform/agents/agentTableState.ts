/** What all operations on the agents' table share: its database, its small values, and what is kept of it in memory. */
import type { Manager } from '../../domain/agents/leftToManager.js'
import type { AgentDatabase } from './agentDatabase.js'
import { KnownAgents } from './knownAgents.js'

export type TableRole = 'master' | 'worker'

/** Names of the values in `meta`. */
export type MetaName =
  | 'table'
  | 'highestId'
  | 'change'
  | 'acknowledgedTable'
  | 'acknowledged'
  | 'groupsTable'
  | 'groupsVersion'
  /** `1` while they are lost. */
  | 'groupsLost'

export class AgentTableState {
  readonly database: AgentDatabase
  readonly role: TableRole
  readonly manager: Manager
  #known: KnownAgents | undefined

  constructor(database: AgentDatabase, role: TableRole, manager: Manager) {
    this.database = database
    this.role = role
    this.manager = manager
  }

  get known(): KnownAgents {
    this.#known ??= new KnownAgents(
      this.database.rows<[number, string, string]>('SELECT json_array(id, groups, group_hash) AS row FROM agent'),
    )
    return this.#known
  }

  /** All of it, or nothing when it throws. */
  change<T>(work: () => T): T {
    try {
      return this.database.transaction(work)
    } catch (thrown) {
      this.#known = undefined
      throw thrown
    }
  }

  /** Empty when it was never kept. */
  text(name: MetaName): string {
    return this.database.text('SELECT value FROM meta WHERE name = ?', name) ?? ''
  }

  /** 0 when it was never kept. */
  number(name: MetaName): number {
    return Number(this.text(name))
  }

  keep(name: MetaName, value: string | number): void {
    this.database.run('INSERT INTO meta VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value', name, String(value))
  }

  /** The first of this many new change numbers. */
  takeChanges(count: number): number {
    const last = this.number('change')
    this.keep('change', last + count)
    return last + 1
  }
}
