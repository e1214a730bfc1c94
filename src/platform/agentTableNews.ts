/** What the agents' table is told of agents and what it tells of them, in SQL: the rule of domain/agent, on sets of rows. */

import { type AgentDetails, type AgentNews, agentFactNames, disconnections, type Presence, presenceStatuses } from '../domain/agent.js'
import { AgentBatchWriter, decodeAgentBatch, factsAt } from '../domain/agentBatch.js'
import { latestTimeMs, soundNews } from '../domain/soundNews.js'
import { limits } from '../limits.js'
import type { MergeOutcome, UnsentNews } from '../ports.js'
import { factColumns } from './agentTableSchema.js'
import type { AgentTableState } from './agentTableState.js'

const rankOf = new Map(presenceStatuses.map((status, rank) => [status, rank]))
const codeOf = new Map(disconnections.map((disconnection, code) => [disconnection, code]))
const activeRank = presenceStatuses.indexOf('active')
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
const detailsOrder = ['seen', 'epoch', 'node', ...factColumns] as const

const values = (count: number): string => Array.from({ length: count }, (_, index) => `value->>${index}`).join(', ')

const putKeepAlives = `INSERT INTO presence (id, seen, epoch, rank, node, disconnected, code, corrected, change)
  SELECT value->>0, value->>1, value->>2, ${activeRank}, ?, 0, 0, 1, NULL FROM json_each(?) WHERE true ${upsert('presence', presenceOrder)}`

/** Rows `[id, …presenceOrder]`; whether they are corrected, and the first number of change. */
const putPresences = `INSERT INTO presence (id, ${presenceOrder.join(', ')}, corrected, change)
  SELECT ${values(1 + presenceOrder.length)}, ?, ? + key FROM json_each(?) WHERE true ${upsert('presence', presenceOrder)}`

/** Wide rows are bound, not read out of JSON, which would take twice as long. So many rows `[id, …detailsOrder, corrected, change]`. */
const putDetails = (rows: number): string => {
  const row = `(${['id', ...detailsOrder, 'corrected', 'change'].map(() => '?').join(', ')})`
  return `INSERT INTO details (id, ${detailsOrder.join(', ')}, corrected, change)
    VALUES ${Array.from({ length: rows }, () => row).join(', ')} ${upsert('details', detailsOrder)}`
}
const detailsPerStatement = 32
/** Made once: to find a statement by its text, a new text of this length would have to be read each time. */
const putFullDetails = putDetails(detailsPerStatement)

const presenceRow = ({ disconnectedMs, disconnection, epochMs, id, node, seenMs, status }: Presence): readonly unknown[] => [
  id,
  seenMs,
  epochMs,
  rankOf.get(status),
  node,
  disconnectedMs,
  codeOf.get(disconnection),
]

/** Rows of a query in pages: few are read that do not fit into a batch any more. */
const detailsPerPage = 1_024

type Changed<T> = { readonly change: number; readonly row: T }

export class AgentTableNews {
  readonly #state: AgentTableState
  /** Gives agents the group `default`; returns how many had none. */
  readonly #giveDefault: (ids: readonly number[]) => number

  constructor(state: AgentTableState, giveDefault: (ids: readonly number[]) => number) {
    this.#state = state
    this.#giveDefault = giveDefault
  }

  record(told: AgentNews, nowMs: number, isCorrected: boolean): MergeOutcome {
    const { news, refused } = soundNews(told, nowMs)
    return this.#take(news, refused, ({ details, presences }) => {
      const { database } = this.#state
      const change = this.#state.takeChanges(presences.length + details.length)
      const corrected = isCorrected ? 1 : 0
      const latestMs = latestTimeMs(nowMs)
      const rows = JSON.stringify(presences.map(presenceRow))
      const taken = database.run(putPresences, corrected, change, rows, latestMs)
      return taken + this.#putDetails(details, latestMs, corrected, change + presences.length)
    })
  }

  merge(batch: Uint8Array, from: string, nowMs: number): MergeOutcome {
    const decoded = decodeAgentBatch(batch, from, nowMs)
    if (!decoded.ok) throw decoded.error
    return this.#take(decoded.value.news, decoded.value.refused, ({ details, presences }) => {
      const { database } = this.#state
      const latestMs = latestTimeMs(nowMs)
      const keepAlives = presences.filter(({ status }) => status === 'active')
      const others = presences.filter(({ status }) => status !== 'active')
      let taken = 0
      if (keepAlives.length > 0) {
        const rows = keepAlives.map(({ epochMs, id, seenMs }) => `[${id},${seenMs},${epochMs}]`)
        taken += database.run(putKeepAlives, from, `[${rows.join()}]`, latestMs)
      }
      if (others.length > 0) taken += database.run(putPresences, 1, null, JSON.stringify(others.map(presenceRow)), latestMs)
      return taken + this.#putDetails(details, latestMs, 1, undefined)
    })
  }

  /** Shifted rows are new words: they get new numbers, so that they are sent. */
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

  unsent(table: string, after: number, nowMs: number): UnsentNews | undefined {
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
    return batch.rows === 0 ? undefined : { batch: batch.finish(), rows: batch.rows, upTo }
  }

  acknowledge(table: string, upTo: number): void {
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

  #take(news: AgentNews, refused: number, put: (known: AgentNews) => number): MergeOutcome {
    const { known } = this.#state
    const isKnown = ({ id }: { readonly id: number }): boolean => known.has(id)
    const presences = news.presences.filter(isKnown)
    const details = news.details.filter(isKnown)
    const rows = presences.length + details.length
    const unknown = news.presences.length + news.details.length - rows
    if (rows === 0) return { taken: 0, unknown, refused, defaulted: 0 }
    return this.#state.change(() => {
      const taken = put({ presences, details })
      const defaulted = this.#state.role === 'master' ? this.#giveDefault(presences.map(({ id }) => id)) : 0
      return { taken, unknown, refused, defaulted }
    })
  }

  #putDetails(details: readonly AgentDetails[], latestMs: number, corrected: number, firstChange: number | undefined): number {
    let taken = 0
    for (let start = 0; start < details.length; start += detailsPerStatement) {
      const rows = details.slice(start, start + detailsPerStatement)
      const bound: (number | string | null)[] = []
      for (const [index, { epochMs, facts, id, node, seenMs }] of rows.entries()) {
        bound.push(id, seenMs, epochMs, node)
        for (const name of agentFactNames) bound.push(facts[name])
        bound.push(corrected, firstChange === undefined ? null : firstChange + start + index)
      }
      const sql = rows.length === detailsPerStatement ? putFullDetails : putDetails(rows.length)
      taken += this.#state.database.run(sql, ...bound, latestMs)
    }
    return taken
  }

  #uncorrected(table: 'presence' | 'details'): number[] {
    return this.#state.database.rows<number>(`SELECT id AS row FROM ${table} WHERE corrected = 0 ORDER BY id`)
  }

  *#unsentPresences(after: number): Generator<Changed<Presence>, undefined> {
    const rows = this.#state.database.rows<[number, number, number, number, number, string, number, number]>(
      `SELECT json_array(change, id, ${presenceOrder.join(', ')}) AS row FROM presence WHERE change > ? AND corrected = 1
       ORDER BY change LIMIT ${limits.agentBatchRowsMax}`,
      after,
    )
    for (const [change, id, seenMs, epochMs, rank, node, disconnectedMs, code] of rows)
      yield { change, row: presenceOf(id, seenMs, epochMs, rank, node, disconnectedMs, code) }
    return undefined
  }

  *#unsentDetails(after: number): Generator<Changed<AgentDetails>, undefined> {
    for (let from = after; ; ) {
      const rows = this.#state.database.rows<[number, number, number, number, string, ...string[]]>(
        `SELECT json_array(change, id, ${detailsOrder.join(', ')}) AS row FROM details WHERE change > ? AND corrected = 1
         ORDER BY change LIMIT ${detailsPerPage}`,
        from,
      )
      for (const [change, id, seenMs, epochMs, node, ...facts] of rows) {
        yield { change, row: { id, seenMs, epochMs, node, facts: factsAt(facts, 0) } }
        from = change
      }
      if (rows.length < detailsPerPage) return undefined
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
