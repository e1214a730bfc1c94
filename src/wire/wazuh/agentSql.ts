/** SQL that wazuh-db is asked by, and its rows. Always with a LIMIT: an answer that is too long is cut without a word. */
import { agentColumns, isRecord } from './agentRow.js'

const select = (columns: readonly string[], table: string, condition: string, order: string, limit: number): string =>
  `global sql SELECT ${columns.join(',')} FROM ${table} WHERE ${condition} ORDER BY ${order} LIMIT ${limit}`

export const agentsSql = (after: number, limit: number): string => select(agentColumns, 'agent', `id>${after}`, 'id', limit)

export const presencesSql = (ids: readonly number[], after: number, limit: number): string =>
  select(['id', 'node_name', 'last_keepalive', 'connection_status'], 'agent', `id IN (${ids.join(',')}) AND id>${after}`, 'id', limit)

/** Labels of the agents from one ID to another; those below `offset` are left out. */
export const labelsSql = (from: number, to: number, offset: number, limit: number): string =>
  `${select(['id', 'key', 'value'], 'labels', `id BETWEEN ${from} AND ${to}`, 'id,key', limit)} OFFSET ${offset}`

/** Active agents by node, of the nodes whose names come after this one. */
export const activeAgentsSql = (after: string, limit: number): string => {
  const condition = `id>0 AND connection_status='active' AND node_name>'${after.replaceAll("'", "''")}' GROUP BY node_name`
  return select(['node_name', 'COUNT(*) AS n'], 'agent', condition, 'node_name', limit)
}

/** A row of `activeAgentsSql`; undefined when it is not one. */
export const readNodeCount = (value: unknown): { readonly node: string; readonly agents: number } | undefined => {
  if (!isRecord(value)) return undefined
  const { n, node_name } = value
  return typeof node_name === 'string' && typeof n === 'number' && Number.isSafeInteger(n) && n >= 0
    ? { node: node_name, agents: n }
    : undefined
}
