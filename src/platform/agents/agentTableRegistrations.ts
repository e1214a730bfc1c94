/** How the agents of the table were registered, in SQL: noted before client.keys has them, and kept with their rows. */

import { limits } from '../../base/limits.js'
import { presenceStatuses } from '../../domain/agents/agent.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { Registration } from '../../domain/agents/replacement.js'
import type { NotedRegistration } from '../../ports/agents.js'
import type { AgentTableState } from './agentTableState.js'

/** What was known of an agent stays, unless it has another key. */
const kept = (column: string): string => `${column} = iif(agent.key = excluded.key, agent.${column}, excluded.${column})`

const addSql = `INSERT INTO agent (id, name, ip, key, registered_ms, signature)
  SELECT value->>0, value->>1, value->>2, value->>3, coalesce(enrolling.registered_ms, ?2), coalesce(enrolling.signature, '')
  FROM json_each(?1) LEFT JOIN enrolling ON enrolling.key = value->>3 WHERE true
  ON CONFLICT (id) DO UPDATE SET name = excluded.name, ip = excluded.ip, ${kept('registered_ms')}, ${kept('signature')}, key = excluded.key`

type Row = [id: number, rank: number | null, disconnectedMs: number, registeredMs: number, signature: string]

export class AgentTableRegistrations {
  readonly #state: AgentTableState

  constructor(state: AgentTableState) {
    this.#state = state
  }

  add(entries: readonly KeyEntry[], nowMs: number): void {
    if (entries.length === 0) return
    const { database } = this.#state
    const list = JSON.stringify(entries.map(({ id, ip, key, name }) => [id, name, ip, key]))
    this.#state.change(() => {
      database.run(addSql, list, nowMs)
      database.run('DELETE FROM enrolling WHERE key IN (SELECT value->>3 FROM json_each(?))', list)
      const highest = this.#state.number('highestId')
      this.#state.keep(
        'highestId',
        entries.reduce((id, entry) => Math.max(id, entry.id), highest),
      )
      for (const { id } of entries) this.#state.known.add(id)
    })
  }

  note(noted: readonly NotedRegistration[], obsolete: readonly string[], nowMs: number): number {
    const { database } = this.#state
    this.#state.change(() => {
      database.run(
        'DELETE FROM enrolling WHERE key IN (SELECT value FROM json_each(?1)) OR registered_ms NOT BETWEEN ?2 - ?3 AND ?2 + ?3',
        JSON.stringify(obsolete),
        nowMs,
        limits.registrationNotedMsMax,
      )
      database.run(
        `INSERT INTO enrolling (key, registered_ms, signature) SELECT value->>0, value->>1, value->>2 FROM json_each(?) WHERE true
         ON CONFLICT (key) DO UPDATE SET registered_ms = excluded.registered_ms, signature = excluded.signature`,
        JSON.stringify(noted.map(({ key, registeredMs, signature }) => [key, registeredMs, signature])),
      )
    })
    return this.#state.number('highestId')
  }

  of(ids: readonly number[]): readonly Registration[] {
    const rows = this.#state.database.rows<Row>(
      `SELECT json_array(agent.id, presence.rank, coalesce(presence.disconnected, 0), agent.registered_ms, agent.signature) AS row
       FROM agent LEFT JOIN presence USING (id) WHERE agent.id IN (SELECT value FROM json_each(?)) ORDER BY agent.id`,
      JSON.stringify(ids),
    )
    return rows.map(([id, rank, disconnectedMs, registeredMs, signature]) => ({
      ...{ id, disconnectedMs, registeredMs, signature },
      status: rank === null ? 'never_connected' : (presenceStatuses[rank] ?? 'pending'),
    }))
  }
}
