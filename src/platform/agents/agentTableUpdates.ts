/** What the agents' table takes and gives of agents, in SQL: the rule of domain/agents/agent, on sets of rows. */

import { type AgentDetails, type AgentUpdates, disconnections, type Presence, presenceStatuses } from '../../domain/agents/agent.js'
import { latestTimeMs, soundUpdates, unknownIn } from '../../domain/agents/soundUpdates.js'
import { givesDefaultGroup, sendsMerged, sendsRecorded } from '../../domain/agents/tableDuties.js'
import type { MergeOutcome, RecordOutcome, UnsentUpdates } from '../../ports/agents.js'
import { AgentBatchWriter, decodeAgentBatch } from '../../wire/muster/agentBatch.js'
import type { Value } from './agentDatabase.js'
import type { AgentTableState } from './agentTableState.js'

const rankOf = new Map(presenceStatuses.map((status, rank) => [status, rank]))
const codeOf = new Map(disconnections.map((disconnection, code) => [disconnection, code]))
const disconnectedRank = presenceStatuses.indexOf('disconnected')
const missedCode = disconnections.indexOf('keepAliveMissed')

/** A new row takes the place of an older one, or of one from beyond the time that the last parameter says. */
const upsert = (table: string, order: readonly string[]): string => {
  const columns = [...order, 'corrected', 'change']
  const inTable = order.map((column) => `${table}.${column}`)
  const excluded = order.map((column) => `excluded.${column}`)
  return `ON CONFLICT (id) DO UPDATE SET ${columns.map((column) => `${column} = excluded.${column}`).join(', ')}
    WHERE ${table}.seen > ? OR (${inTable.join(', ')}) < (${excluded.join(', ')})`
}

const presenceOrder = ['seen', 'epoch', 'rank', 'node', 'disconnected', 'code'] as const
const detailsOrder = ['seen', 'epoch', 'node', 'facts'] as const
const orders = { presence: presenceOrder, details: detailsOrder } as const

/**
 * Rows are bound, not read out of JSON, which takes longer, twice as long with texts. Whether they are corrected and the first
 * change number; then this many rows `[id, …order]`.
 */
const putRows = (table: string, order: readonly string[], rows: number): string => {
  const columns = ['id', ...order]
  const row = (index: number): string => {
    const own = columns.map((_, column) => `?${3 + columns.length * index + column}`)
    return `(${own.join(', ')}, ?1, ?2 + ${index})`
  }
  return `INSERT INTO ${table} (${columns.join(', ')}, corrected, change)
    VALUES ${Array.from({ length: rows }, (_, index) => row(index)).join(', ')} ${upsert(table, order)}`
}

const rowsPerStatement = 32

interface Putting<T> {
  readonly sql: (rows: number) => string
  /** Made once: to find a statement by its text, a new text of this length would have to be read each time. */
  readonly fullSql: string
  readonly valuesOf: (row: T) => readonly Value[]
}

const putting = <T>(table: string, order: readonly string[], valuesOf: Putting<T>['valuesOf']): Putting<T> => {
  const sql = (rows: number): string => putRows(table, order, rows)
  return { sql, fullSql: sql(rowsPerStatement), valuesOf }
}

const putPresences = putting<Presence>(
  'presence',
  presenceOrder,
  ({ disconnectedMs, disconnection, epochMs, id, node, seenMs, status }) => [
    id,
    seenMs,
    epochMs,
    rankOf.get(status) ?? 0,
    node,
    disconnectedMs,
    codeOf.get(disconnection) ?? 0,
  ],
)

const putDetails = putting<AgentDetails>('details', detailsOrder, ({ epochMs, facts, id, node, seenMs }) => [
  id,
  seenMs,
  epochMs,
  node,
  facts,
])

/** Rows of a query in pages: few are read that do not fit into a batch any more, or of which only the first one is needed. */
const rowsPerPage = 256

type PresenceRow = [number, number, number, number, number, string, number, number]
type DetailsRow = [number, number, number, number, string, string]

type Changed<T> = { readonly change: number; readonly row: T }

export class AgentTableUpdates {
  readonly #state: AgentTableState
  /** Gives agents the group `default`; returns how many had none. */
  readonly #giveDefault: (ids: readonly number[]) => number

  constructor(state: AgentTableState, giveDefault: (ids: readonly number[]) => number) {
    this.#state = state
    this.#giveDefault = giveDefault
  }

  record(given: AgentUpdates, nowMs: number, isCorrected: boolean): RecordOutcome {
    const { updates, refused } = soundUpdates(given, nowMs)
    const unknownAgents = unknownIn(updates, (id) => this.#state.known.has(id))
    return { ...this.#take({ updates, refused }, nowMs, isCorrected, sendsRecorded(this.#state)), unknownAgents }
  }

  merge(batch: Uint8Array, from: string, nowMs: number): MergeOutcome {
    const decoded = decodeAgentBatch(batch, from, nowMs)
    if (!decoded.ok) throw decoded.error
    return this.#take(decoded.value, nowMs, true, sendsMerged(this.#state))
  }

  /** Shifted rows are new reports: they get new numbers, so that they are sent. */
  correct(byMs: number): void {
    const by = Math.round(byMs)
    const presences = this.#uncorrected('presence')
    const details = this.#uncorrected('details')
    if (presences.length + details.length === 0) return
    this.#state.change(() => {
      const { database } = this.#state
      const change = this.#state.takeChanges(presences.length + details.length)
      const shift =
        'seen = max(0, seen + ?1), epoch = max(0, epoch + ?1), corrected = 1, change = ?2 + key FROM json_each(?3) WHERE id = value'
      const alsoDisconnected = `disconnected = iif(rank = ${disconnectedRank}, max(0, disconnected + ?1), 0)`
      database.run(
        `UPDATE presence SET ${alsoDisconnected}, ${shift.replace('id =', 'presence.id =')}`,
        by,
        change,
        JSON.stringify(presences),
      )
      database.run(`UPDATE details SET ${shift.replace('id =', 'details.id =')}`, by, change + presences.length, JSON.stringify(details))
    })
  }

  unsent(table: string, after: number, nowMs: number): UnsentUpdates | undefined {
    const from = Math.max(after, this.#state.text('acknowledgedTable') === table ? this.#state.number('acknowledged') : 0)
    const presences = this.#unsentPresences(from)
    const details = this.#unsentDetails(from)
    const batch = new AgentBatchWriter(nowMs)
    let upTo = from
    let presence = presences.next()
    let detail = details.next()
    for (;;) {
      if (!presence.done && (detail.done || presence.value.change < detail.value.change)) {
        if (!batch.addPresence(presence.value.row)) break
        upTo = presence.value.change
        presence = presences.next()
      } else if (!detail.done) {
        if (!batch.addDetails(detail.value.row)) break
        upTo = detail.value.change
        detail = details.next()
      } else break
    }
    return batch.rows === 0 ? undefined : { batch: batch.finish(), rows: batch.rows, upTo, own: this.#state.text('table') }
  }

  acknowledge(table: string, { own, upTo }: Pick<UnsentUpdates, 'own' | 'upTo'>): void {
    if (own !== this.#state.text('table')) return
    const isKnown = this.#state.text('acknowledgedTable') === table
    if (isKnown && this.#state.number('acknowledged') >= upTo) return
    this.#state.change(() => {
      this.#state.keep('acknowledgedTable', table)
      this.#state.keep('acknowledged', Math.min(upTo, this.#state.number('change')))
    })
  }

  silence(nowMs: number, disconnectionMs: number, node?: string): number {
    const { database, role } = this.#state
    const silent = database.rows<number>(
      `SELECT id AS row FROM presence WHERE rank <> ${disconnectedRank} AND seen + ?1 < ?2 AND (?3 IS NULL OR node = ?3) ORDER BY id`,
      disconnectionMs,
      nowMs,
      node ?? null,
    )
    if (silent.length === 0) return 0
    return this.#state.change(() => {
      const change = role === 'worker' ? this.#state.takeChanges(silent.length) : null
      return database.run(
        `UPDATE presence SET rank = ${disconnectedRank}, disconnected = seen + ?1, code = ${missedCode}, change = coalesce(?2 + key, change)
         FROM json_each(?3) WHERE presence.id = value`,
        disconnectionMs,
        change,
        JSON.stringify(silent),
      )
    })
  }

  #take(
    { refused, updates }: { readonly updates: AgentUpdates; readonly refused: number },
    nowMs: number,
    isCorrected: boolean,
    areSent: boolean,
  ): MergeOutcome {
    const { known } = this.#state
    const isKnown = ({ id }: { readonly id: number }): boolean => known.has(id)
    const presences = updates.presences.filter(isKnown)
    const details = updates.details.filter(isKnown)
    const rows = presences.length + details.length
    const unknown = updates.presences.length + updates.details.length - rows
    if (rows === 0) return { taken: 0, unknown, refused, defaulted: 0 }
    const given = { latestMs: latestTimeMs(nowMs), corrected: isCorrected ? 1 : 0 }
    return this.#state.change(() => {
      const change = areSent ? this.#state.takeChanges(rows) : undefined
      const presencesTaken = this.#put(putPresences, presences, given, change)
      const detailsTaken = this.#put(putDetails, details, given, change === undefined ? undefined : change + presences.length)
      const defaulted = givesDefaultGroup(this.#state) ? this.#giveDefault(presences.map(({ id }) => id)) : 0
      return { taken: presencesTaken + detailsTaken, unknown, refused, defaulted }
    })
  }

  #put<T>(
    { fullSql, sql, valuesOf }: Putting<T>,
    all: readonly T[],
    { corrected, latestMs }: { readonly corrected: number; readonly latestMs: number },
    firstChange: number | undefined,
  ): number {
    let taken = 0
    for (let start = 0; start < all.length; start += rowsPerStatement) {
      const rows = all.slice(start, start + rowsPerStatement)
      const bound: Value[] = [corrected, firstChange === undefined ? null : firstChange + start]
      for (const row of rows) bound.push(...valuesOf(row))
      bound.push(latestMs)
      taken += this.#state.database.run(rows.length === rowsPerStatement ? fullSql : sql(rows.length), ...bound)
    }
    return taken
  }

  #uncorrected(table: 'presence' | 'details'): number[] {
    return this.#state.database.rows<number>(`SELECT id AS row FROM ${table} WHERE corrected = 0 ORDER BY id`)
  }

  *#unsentPresences(after: number): Generator<Changed<Presence>, undefined> {
    for (const [change, id, seenMs, epochMs, rank, node, disconnectedMs, code] of this.#unsentRows<PresenceRow>('presence', after))
      yield { change, row: presenceOf(id, seenMs, epochMs, rank, node, disconnectedMs, code) }
    return undefined
  }

  *#unsentDetails(after: number): Generator<Changed<AgentDetails>, undefined> {
    for (const [change, id, seenMs, epochMs, node, facts] of this.#unsentRows<DetailsRow>('details', after))
      yield { change, row: { id, seenMs, epochMs, node, facts } }
    return undefined
  }

  *#unsentRows<R extends readonly [change: number, ...unknown[]]>(table: keyof typeof orders, after: number): Generator<R, undefined> {
    for (let from = after; ; ) {
      const rows = this.#state.database.rows<R>(
        `SELECT json_array(change, id, ${orders[table].join(', ')}) AS row FROM ${table} WHERE change > ? AND corrected = 1
         ORDER BY change LIMIT ${rowsPerPage}`,
        from,
      )
      for (const row of rows) {
        yield row
        ;[from] = row
      }
      if (rows.length < rowsPerPage) return undefined
    }
  }
}

const presenceOf = (
  id: number,
  seenMs: number,
  epochMs: number,
  rank: number,
  node: string,
  disconnectedMs: number,
  code: number,
): Presence => ({
  id,
  seenMs,
  epochMs,
  node,
  status: presenceStatuses[rank] ?? 'pending',
  disconnectedMs,
  disconnection: disconnections[code] ?? 'none',
})
