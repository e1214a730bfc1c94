/** What operators ask of the agents' table: lists in pages, and counts. */

import { limits } from '../../base/limits.js'
import {
  type AgentCounts,
  type AgentFilter,
  type AgentListShape,
  type AgentStatus,
  type AgentView,
  agentIdText,
  disconnections,
  presenceStatuses,
} from '../../domain/agents/agent.js'
import { factSeparator, unpackFacts } from '../../domain/agents/packedFacts.js'
import type { AgentTableState } from './agentTableState.js'

const neverRank = -1
const noDigits = agentIdText(0).length

const from = 'FROM agent LEFT JOIN presence USING (id) LEFT JOIN details USING (id)'

/** Each part of a filter is one parameter: a list in JSON, or nothing. */
const where = `(?1 IS NULL OR presence.node IN (SELECT value FROM json_each(?1)))
  AND (?2 IS NULL OR coalesce(presence.rank, ${neverRank}) IN (SELECT value FROM json_each(?2)))
  AND (?3 IS NULL OR instr(',' || agent.groups || ',', ',' || ?3 || ',') > 0)
  AND (?4 IS NULL OR agent.id IN (SELECT value FROM json_each(?4)))`

const columns = [
  ...['agent.id', 'agent.name', 'agent.ip', 'agent.groups', 'agent.group_hash'],
  ...['presence.node', 'presence.rank', 'presence.seen', 'presence.disconnected', 'presence.code'],
  'details.facts',
]

type Identity = [id: number, name: string, ip: string, groups: string, groupHash: string]
type State = [node: string | null, rank: number, seenMs: number, disconnectedMs: number, code: number]
type Row = [...Identity, ...State, facts: string | null]

const listSql = `SELECT json_array(${columns.join(', ')}) AS row ${from}
  WHERE agent.id > ?5 AND ${where} ORDER BY agent.id LIMIT ${limits.agentPageRowsMax}`

const statusText = `CASE coalesce(presence.rank, ${neverRank}) ${presenceStatuses.map((status, rank) => `WHEN ${rank} THEN '${status}'`).join(' ')} ELSE '${'never_connected' satisfies AgentStatus}' END`

/** The first two facts; nothing without any. */
const factEnd = (text: string): string => `instr(${text}, char(${factSeparator.charCodeAt(0)}))`
const factIp = `substr(details.facts, 1, ${factEnd('details.facts')} - 1)`
const afterIp = `substr(details.facts, ${factEnd('details.facts')} + 1)`
const factVersion = `substr(${afterIp}, 1, ${factEnd(afterIp)} - 1)`

const shapeSql = `SELECT json_array(count(*), coalesce(max(agent.id), 0), coalesce(max(length(agent.name)), 0),
    coalesce(max(length(iif(coalesce(${factIp}, '') <> '', ${factIp}, agent.ip))), 0),
    coalesce(max(length(${factVersion})), 0), coalesce(max(length(presence.node)), 0),
    coalesce(max(length(${statusText})), 0)) AS row
  ${from} WHERE ${where}`

const listText = (list: readonly unknown[] | undefined): string | null => (list ? JSON.stringify(list) : null)

const parametersOf = ({ group, ids, nodes, statuses }: AgentFilter) =>
  [
    listText(nodes),
    listText(statuses?.map((status) => (status === 'never_connected' ? neverRank : presenceStatuses.indexOf(status)))),
    group ?? null,
    listText(ids),
  ] as const

export class AgentTableLists {
  readonly #state: AgentTableState

  constructor(state: AgentTableState) {
    this.#state = state
  }

  shape(filter: AgentFilter): AgentListShape {
    const [shape] = this.#state.database.rows<readonly number[]>(shapeSql, ...parametersOf(filter))
    const [count = 0, highestId = 0, nameChars = 0, ipChars = 0, versionChars = 0, nodeChars = 0, statusChars = 0] = shape ?? []
    const idDigits = Math.max(noDigits, agentIdText(highestId).length)
    return { count, idDigits, nameChars, ipChars, statusChars, versionChars, nodeChars }
  }

  list(filter: AgentFilter, after: number): readonly AgentView[] {
    return this.#state.database.rows<Row>(listSql, ...parametersOf(filter), after).map(viewOf)
  }

  counts(): AgentCounts {
    const { database, known } = this.#state
    const byNode = new Map<string, Partial<Record<AgentStatus, number>>>()
    const byStatus = { never_connected: known.size, pending: 0, active: 0, disconnected: 0 }
    const counted = database.rows<[node: string, rank: number, count: number]>(
      'SELECT json_array(node, rank, count(*)) AS row FROM presence GROUP BY node, rank',
    )
    for (const [node, rank, count] of counted) {
      const status = presenceStatuses[rank] ?? 'pending'
      byNode.set(node, { ...byNode.get(node), [status]: count })
      byStatus[status] += count
      byStatus.never_connected -= count
    }
    const [withoutGroups = 0] = database.rows<number>("SELECT count(*) AS row FROM agent WHERE groups = ''")
    return { byNode, byStatus, withoutGroups }
  }
}

const viewOf = (row: Row): AgentView => {
  const [id, name, registeredIp, groups, groupHash, node, rank, seenMs, disconnectedMs, code, facts] = row
  return {
    id,
    name,
    registeredIp,
    groups: groups === '' ? [] : groups.split(','),
    groupHash,
    ...(node === null
      ? { status: 'never_connected' as const }
      : { status: presenceStatuses[rank] ?? 'pending', node, seenMs, disconnectedMs, disconnection: disconnections[code] ?? 'none' }),
    ...(facts === null ? {} : { facts: unpackFacts(facts) }),
  }
}
