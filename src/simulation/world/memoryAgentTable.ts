/**
 * The agents' table of a simulated node, in plain maps over the rules of the domain: what SQLite is held to. It is the disk, so
 * to speak: what is in it outlives the node's process.
 */

import { limits } from '../../base/limits.js'
import {
  type AgentCounts,
  type AgentDetails,
  type AgentFilter,
  type AgentListShape,
  type AgentUpdates,
  type AgentView,
  isSilentAgent,
  newerDetails,
  newerPresence,
  type Presence,
  shiftedPresence,
  shiftedTimes,
  silencedPresence,
} from '../../domain/agents/agent.js'
import {
  type ExactGroups,
  type GroupsChange,
  type GroupsPage,
  type GroupsRow,
  type GroupsState,
  groupsHash,
} from '../../domain/agents/groups.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { Manager } from '../../domain/agents/leftToManager.js'
import { unpackFacts } from '../../domain/agents/packedFacts.js'
import type { Registration } from '../../domain/agents/replacement.js'
import { latestTimeMs, soundUpdates, unknownIn } from '../../domain/agents/soundUpdates.js'
import { givesDefaultGroup, sendsMerged, sendsRecorded, type TableOwner } from '../../domain/agents/tableDuties.js'
import type { AgentTable, MergeOutcome, NotedRegistration, OpenedStore, RecordOutcome, UnsentUpdates } from '../../ports/agents.js'
import { AgentBatchWriter, decodeAgentBatch } from '../../wire/muster/agentBatch.js'
import { countsOf, isListed, shapeOf } from './agentViews.js'
import { type GroupedAgent, MemoryAgentGroups, ungrouped } from './memoryAgentGroups.js'
import { NotedRegistrations, type RegisteredBy } from './notedRegistrations.js'

interface Agent extends GroupedAgent {
  readonly entry: KeyEntry
  readonly registered: RegisteredBy
}

/** A row about an agent, and whether and since when it has to be sent to the master. */
interface StampedRow<T> {
  readonly row: T
  readonly isCorrected: boolean
  readonly change: number | undefined
}

type StampedRows<T> = Map<number, StampedRow<T>>

const byId = ([a]: readonly [number, unknown], [b]: readonly [number, unknown]): number => a - b
const sorted = <T>(map: ReadonlyMap<number, T>): [number, T][] => [...map].sort(byId)

export class MemoryAgentTable implements AgentTable {
  /** Something else holds the lock: calls of the store wait. */
  isLocked = false
  /** Called with agents that come and go. */
  watch: { readonly added: (id: number) => void; readonly removed: (id: number) => void } | undefined
  readonly #owner: TableOwner
  readonly #agents = new Map<number, Agent>()
  readonly #presences: StampedRows<Presence> = new Map()
  readonly #details: StampedRows<AgentDetails> = new Map()
  readonly #enrolling = new NotedRegistrations()
  #table: string
  #groups: MemoryAgentGroups
  #highestId = 0
  #change = 0
  #acknowledged = { table: '', upTo: 0 }
  /** What the table will be called that is made in place of this one. */
  #fresh: string | undefined

  /** `table`: see OpenedStore. */
  constructor(role: 'master' | 'worker', table: string, manager: Manager = 'none') {
    this.#owner = { role, manager }
    this.#table = table
    this.#groups = new MemoryAgentGroups(this.#agents, role, table)
  }

  /** From here on no operation succeeds, until the table is opened: then it is recreated, empty, by that name. */
  damage(fresh: string): void {
    this.#fresh = fresh
  }

  get isDamaged(): boolean {
    return this.#fresh !== undefined
  }

  open(): OpenedStore {
    const setAside = this.#fresh === undefined ? {} : { setAside: 'The table was set aside' }
    if (this.#fresh !== undefined) this.#recreate(this.#fresh)
    return { table: this.#table, groupsLost: this.#groups.areLost, ...setAside }
  }

  #recreate(table: string): void {
    for (const rows of [this.#agents, this.#presences, this.#details, this.#enrolling]) rows.clear()
    this.#highestId = 0
    this.#change = 0
    this.#acknowledged = { table: '', upTo: 0 }
    this.#table = table
    this.#groups = new MemoryAgentGroups(this.#agents, this.#owner.role, table)
    this.#fresh = undefined
  }

  addAgents(entries: readonly KeyEntry[], nowMs: number): void {
    for (const entry of entries) {
      const before = this.#agents.get(entry.id)
      if (!before) this.watch?.added(entry.id)
      const registered = before?.entry.key === entry.key ? before.registered : this.#enrolling.of(entry.key, nowMs)
      this.#agents.set(entry.id, { ...(before ?? ungrouped()), entry, registered })
      this.#highestId = Math.max(this.#highestId, entry.id)
    }
    this.#enrolling.forget(entries)
    this.#groups.othersAreThere()
  }

  noteRegistrations(noted: readonly NotedRegistration[], obsolete: readonly string[], nowMs: number): number {
    this.#enrolling.note(noted, obsolete, nowMs)
    return this.#highestId
  }

  registrations(ids: readonly number[]): readonly Registration[] {
    return sorted(this.#agents)
      .filter(([id]) => ids.includes(id))
      .map(([id, { registered }]) => {
        const { disconnectedMs = 0, status = 'never_connected' } = this.#presences.get(id)?.row ?? {}
        return { id, status, disconnectedMs, ...registered }
      })
  }

  removeAgents(ids: readonly number[]): number {
    let removed = 0
    for (const id of ids) {
      if (this.#agents.delete(id)) {
        removed += 1
        this.watch?.removed(id)
      }
      this.#presences.delete(id)
      this.#details.delete(id)
    }
    this.#groups.othersAreThere()
    return removed
  }

  keepAgents(ids: Uint32Array): readonly number[] {
    const kept = new Set(ids)
    const gone = sorted(this.#agents).flatMap(([id]) => (kept.has(id) ? [] : [id]))
    this.removeAgents(gone)
    return gone
  }

  highestId(): number {
    return this.#highestId
  }

  // ------------------------------------------------------------------------------------------------------- updates

  /** Rows whose times were never compared with the master's: they are not sent before they are. */
  get uncorrectedRows(): number {
    return [...this.#presences.values(), ...this.#details.values()].filter(({ isCorrected }) => !isCorrected).length
  }

  record(given: AgentUpdates, nowMs: number, isCorrected: boolean): RecordOutcome {
    const { updates, refused } = soundUpdates(given, nowMs)
    const unknownAgents = unknownIn(updates, (id) => this.#agents.has(id))
    return { ...this.#take(updates, refused, nowMs, isCorrected, this.#changes(sendsRecorded(this.#owner))), unknownAgents }
  }

  merge(batch: Uint8Array, from: string, nowMs: number): MergeOutcome {
    const decoded = decodeAgentBatch(batch, from, nowMs)
    if (!decoded.ok) throw decoded.error
    return this.#take(decoded.value.updates, decoded.value.refused, nowMs, true, this.#changes(sendsMerged(this.#owner)))
  }

  correct(byMs: number): void {
    const by = Math.round(byMs)
    for (const [id, { isCorrected, row }] of sorted(this.#presences))
      if (!isCorrected) this.#presences.set(id, { row: shiftedPresence(row, by), isCorrected: true, change: ++this.#change })
    for (const [id, { isCorrected, row }] of sorted(this.#details))
      if (!isCorrected) this.#details.set(id, { row: shiftedTimes(row, by), isCorrected: true, change: ++this.#change })
  }

  /** Changes that this table of the master did not acknowledge: the first and the last. */
  owed(table: string): { readonly first: number; readonly last: number } | undefined {
    const acknowledged = this.#acknowledged.table === table ? this.#acknowledged.upTo : 0
    let first = Number.POSITIVE_INFINITY
    for (const { change = 0 } of [...this.#presences.values(), ...this.#details.values()])
      if (change > acknowledged) first = Math.min(first, change)
    return first > this.#change ? undefined : { first, last: this.#change }
  }

  unsent(table: string, after: number, nowMs: number): UnsentUpdates | undefined {
    const from = Math.max(after, this.#acknowledged.table === table ? this.#acknowledged.upTo : 0)
    const batch = new AgentBatchWriter(nowMs)
    const changes: { change: number; add: () => boolean }[] = []
    for (const { change = 0, isCorrected, row } of this.#presences.values())
      if (change > from && isCorrected) changes.push({ change, add: () => batch.addPresence(row) })
    for (const { change = 0, isCorrected, row } of this.#details.values())
      if (change > from && isCorrected) changes.push({ change, add: () => batch.addDetails(row) })
    let upTo = from
    for (const { add, change } of changes.sort((a, b) => a.change - b.change)) {
      if (!add()) break
      upTo = change
    }
    return batch.rows === 0 ? undefined : { batch: batch.finish(), rows: batch.rows, upTo, own: this.#table }
  }

  acknowledge(table: string, { own, upTo }: Pick<UnsentUpdates, 'own' | 'upTo'>): void {
    if (own !== this.#table) return
    const before = this.#acknowledged.table === table ? this.#acknowledged.upTo : 0
    this.#acknowledged = { table, upTo: Math.max(before, Math.min(upTo, this.#change)) }
  }

  silence(nowMs: number, disconnectionMs: number, node?: string): number {
    let silenced = 0
    for (const [id, held] of sorted(this.#presences)) {
      if (!isSilentAgent(held.row, nowMs, disconnectionMs) || (node !== undefined && held.row.node !== node)) continue
      const change = this.#owner.role === 'worker' ? ++this.#change : held.change
      this.#presences.set(id, { ...held, row: silencedPresence(held.row, disconnectionMs), change })
      silenced += 1
    }
    return silenced
  }

  #changes(areSent: boolean): () => number | undefined {
    return () => (areSent ? ++this.#change : undefined)
  }

  #take(updates: AgentUpdates, refused: number, nowMs: number, isCorrected: boolean, nextChange: () => number | undefined): MergeOutcome {
    const isKnown = ({ id }: { readonly id: number }): boolean => this.#agents.has(id)
    const presences = updates.presences.filter(isKnown)
    const details = updates.details.filter(isKnown)
    const futureMs = latestTimeMs(nowMs)
    const put = <T extends { readonly id: number }>(
      stamped: StampedRows<T>,
      rows: readonly T[],
      newer: (a: T, b: T, futureMs: number) => T,
    ) => {
      let taken = 0
      for (const row of rows) {
        const change = nextChange()
        const before = stamped.get(row.id)?.row
        if (before && newer(before, row, futureMs) === before) continue
        stamped.set(row.id, { row, isCorrected, change })
        taken += 1
      }
      return taken
    }
    const taken = put(this.#presences, presences, newerPresence) + put(this.#details, details, newerDetails)
    const unknown = updates.presences.length + updates.details.length - presences.length - details.length
    const defaulted = givesDefaultGroup(this.#owner) ? this.#groups.giveDefault(presences.map(({ id }) => id)) : 0
    return { taken, unknown, refused, defaulted }
  }

  // -------------------------------------------------------------------------------------------------------- groups

  groupsState(): GroupsState {
    return this.#groups.state()
  }

  changeGroups(change: GroupsChange | ExactGroups): number {
    return this.#groups.change(change)
  }

  groupsPage(since: number, after: number): GroupsPage {
    return this.#groups.page(since, after)
  }

  takeGroups(rows: readonly GroupsRow[]): number {
    return this.#groups.take(rows)
  }

  settleGroups(state: GroupsState, full: { readonly ids: Uint32Array } | undefined): GroupsState {
    return this.#groups.settle(state, full)
  }

  restoreGroups(rows: readonly GroupsRow[], isLast: boolean): number {
    return this.#groups.restore(rows, isLast)
  }

  multigroups(): readonly (readonly string[])[] {
    return this.#groups.multigroups()
  }

  groupSizes(): ReadonlyMap<string, number> {
    return this.#groups.sizes()
  }

  // --------------------------------------------------------------------------------------------------------- lists

  shape(filter: AgentFilter): AgentListShape {
    return shapeOf(this.#views(filter))
  }

  list(filter: AgentFilter, after: number): readonly AgentView[] {
    return this.#views(filter)
      .filter(({ id }) => id > after)
      .slice(0, limits.agentPageRowsMax)
  }

  counts(): AgentCounts {
    return countsOf(this.#views({}))
  }

  #views(filter: AgentFilter): AgentView[] {
    return sorted(this.#agents)
      .map(([, agent]) => this.#view(agent))
      .filter((view) => isListed(view, filter))
  }

  #view({ entry: { id, ip, name }, groups }: Agent): AgentView {
    const presence = this.#presences.get(id)?.row
    const facts = this.#details.get(id)?.row.facts
    const { disconnectedMs, disconnection, node, seenMs, status } = presence ?? {}
    const place =
      node === undefined || seenMs === undefined || disconnectedMs === undefined || disconnection === undefined
        ? {}
        : { node, seenMs, disconnectedMs, disconnection }
    return {
      ...{ id, name, registeredIp: ip, status: status ?? 'never_connected', groups, groupHash: groupsHash(groups) },
      ...place,
      ...(facts === undefined ? {} : { facts: unpackFacts(facts) }),
    }
  }

  close(): void {
    // What is in the table outlives the process.
  }
}
