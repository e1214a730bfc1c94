/** The agents' table in a file of SQLite: the operations of the AgentStore port, synchronous, as they run inside its thread. */
import { randomUUID } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import type { AgentCounts, AgentFilter, AgentListShape, AgentUpdates, AgentView } from '../../domain/agents/agent.js'
import type { ExactGroups, GroupsChange, GroupsPage, GroupsRow, GroupsState } from '../../domain/agents/groups.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { Manager } from '../../domain/agents/leftToManager.js'
import type { Registration } from '../../domain/agents/replacement.js'
import type { AgentTable, MergeOutcome, NotedRegistration, OpenedStore, RecordOutcome, UnsentUpdates } from '../../ports/agents.js'
import type { AgentDatabase } from './agentDatabase.js'
import { AgentTableGroups } from './agentTableGroups.js'
import { AgentTableLists } from './agentTableLists.js'
import { AgentTableRegistrations } from './agentTableRegistrations.js'
import { AgentTableState, type TableRole } from './agentTableState.js'
import { AgentTableUpdates } from './agentTableUpdates.js'
import { type OpenedDatabase, openAgentDatabase } from './openAgentDatabase.js'

export interface SqliteAgentTableOptions {
  /** Absolute. */
  readonly path: string
  /** Where earlier builds had the table; absolute. */
  readonly earlierPath: string
  readonly role: TableRole
  /** Whether a real manager has the agents; `none` when left out. */
  readonly manager?: Manager
}

interface Parts {
  readonly database: AgentDatabase
  readonly state: AgentTableState
  readonly updates: AgentTableUpdates
  readonly groups: AgentTableGroups
  readonly lists: AgentTableLists
  readonly registrations: AgentTableRegistrations
}

export class SqliteAgentTable implements AgentTable {
  readonly #options: SqliteAgentTableOptions
  #opened: Parts | undefined
  #found: OpenedDatabase['found'] = {}
  #failure: { readonly error: ClusterError; readonly isDamage: boolean } | undefined

  constructor(options: SqliteAgentTableOptions) {
    this.#options = options
  }

  open(): OpenedStore {
    if (!this.#opened) {
      const { earlierPath, path } = this.#options
      const { database, found } = openAgentDatabase({ path, earlierPath, isDamaged: this.#failure?.isDamage === true })
      this.#failure = undefined
      // Kept over a second attempt: the open that succeeds has to report it.
      this.#found = { ...found, ...this.#found }
      try {
        this.#opened = this.#begin(database)
      } catch (thrown) {
        database.abandon()
        throw thrown
      }
    }
    const { groups, state } = this.#opened
    return { table: state.text('table'), groupsLost: groups.areLost, ...this.#found }
  }

  /** An operation failed in a way that makes the file suspect: from here on all fail with this, until the table is reopened. */
  giveUp(error: ClusterError, isDamage: boolean): void {
    this.#opened?.database.abandon()
    this.#opened = undefined
    this.#found = {}
    this.#failure = { error, isDamage: isDamage || this.#failure?.isDamage === true }
  }

  #begin(database: AgentDatabase): Parts {
    const state = new AgentTableState(database, this.#options.role, this.#options.manager ?? 'none')
    const groups = new AgentTableGroups(state)
    groups.begin(randomUUID)
    const updates = new AgentTableUpdates(state, (ids) => groups.giveDefault(ids))
    const registrations = new AgentTableRegistrations(state)
    return { database, state, updates, groups, lists: new AgentTableLists(state), registrations }
  }

  get #parts(): Parts {
    if (this.#opened) return this.#opened
    throw this.#failure?.error ?? new ClusterError('tableFailed', { message: "The agents' table is not open" })
  }

  addAgents(entries: readonly KeyEntry[], nowMs: number): void {
    this.#parts.registrations.add(entries, nowMs)
  }

  noteRegistrations(noted: readonly NotedRegistration[], obsolete: readonly string[], nowMs: number): number {
    return this.#parts.registrations.note(noted, obsolete, nowMs)
  }

  registrations(ids: readonly number[]): readonly Registration[] {
    return this.#parts.registrations.of(ids)
  }

  removeAgents(ids: readonly number[]): number {
    const { known } = this.#parts.state
    return this.#remove([...new Set(ids)].filter((id) => known.has(id)))
  }

  keepAgents(ids: Uint32Array): readonly number[] {
    const kept = new Set(ids)
    const gone = this.#parts.state.known.ids().filter((id) => !kept.has(id))
    this.#remove(gone)
    return gone
  }

  #remove(ids: readonly number[]): number {
    const { database, state } = this.#parts
    if (ids.length === 0) return 0
    const list = JSON.stringify(ids)
    state.change(() => {
      for (const table of ['agent', 'presence', 'details'])
        database.run(`DELETE FROM ${table} WHERE id IN (SELECT value FROM json_each(?))`, list)
      for (const id of ids) state.known.delete(id)
    })
    return ids.length
  }

  highestId(): number {
    return this.#parts.state.number('highestId')
  }

  record(updates: AgentUpdates, nowMs: number, isCorrected: boolean): RecordOutcome {
    return this.#parts.updates.record(updates, nowMs, isCorrected)
  }

  correct(byMs: number): void {
    this.#parts.updates.correct(byMs)
  }

  unsent(table: string, after: number, nowMs: number): UnsentUpdates | undefined {
    return this.#parts.updates.unsent(table, after, nowMs)
  }

  acknowledge(table: string, sent: Pick<UnsentUpdates, 'own' | 'upTo'>): void {
    this.#parts.updates.acknowledge(table, sent)
  }

  merge(batch: Uint8Array, from: string, nowMs: number): MergeOutcome {
    return this.#parts.updates.merge(batch, from, nowMs)
  }

  silence(nowMs: number, disconnectionMs: number, node?: string): number {
    return this.#parts.updates.silence(nowMs, disconnectionMs, node)
  }

  groupsState(): GroupsState {
    return this.#parts.groups.state()
  }

  changeGroups(change: GroupsChange | ExactGroups): number {
    return this.#parts.groups.change(change)
  }

  groupsPage(since: number, after: number): GroupsPage {
    return this.#parts.groups.page(since, after)
  }

  takeGroups(rows: readonly GroupsRow[]): number {
    return this.#parts.groups.take(rows)
  }

  settleGroups(state: GroupsState, full: { readonly ids: Uint32Array } | undefined): GroupsState {
    return this.#parts.groups.settle(state, full)
  }

  restoreGroups(rows: readonly GroupsRow[], isLast: boolean): number {
    return this.#parts.groups.restore(rows, isLast)
  }

  multigroups(): readonly (readonly string[])[] {
    return this.#parts.groups.multigroups()
  }

  groupSizes(): ReadonlyMap<string, number> {
    return this.#parts.groups.sizes()
  }

  shape(filter: AgentFilter): AgentListShape {
    return this.#parts.lists.shape(filter)
  }

  list(filter: AgentFilter, after: number): readonly AgentView[] {
    return this.#parts.lists.list(filter, after)
  }

  counts(): AgentCounts {
    return this.#parts.lists.counts()
  }

  close(): void {
    this.#opened?.database.close()
    this.#opened = undefined
  }
}
