/** Groups of agents as wazuh-db gives and takes them. */
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { isGroupName } from '../../domain/agents/groups.js'
import type { WazuhGroupsRow } from '../../domain/manager/wazuhAgent.js'
import { isRecord } from './agentRow.js'
import { rowsOf, wazuhDbJson } from './agentStates.js'

/** Marks them as taken. The last page has the hash. */
export const takeGroupsRequest = 'global sync-agent-groups-get {"condition":"sync_status","set_synced":true,"get_global_hash":true}'
export const groupsHashRequest = 'global sync-agent-groups-get {"get_global_hash":true}'
export const recalculateGroupsRequest = 'global recalculate-agent-group-hashes'

export const groupsRequest = (after: number): string =>
  `global sync-agent-groups-get {"condition":"all","set_synced":false,"get_global_hash":true,"last_id":${after}}`

export const setGroupsRequest = (rows: readonly WazuhGroupsRow[]): string =>
  `global set-agent-groups {"mode":"override","sync_status":"synced","data":${JSON.stringify(rows.map(requestRow))}}`

const requestRow = ({ groups, id, name }: WazuhGroupsRow): WazuhGroupsRow => ({ id, name, groups })

/** What a row takes in `setGroupsRequest`, with its comma; and what the request takes besides. */
export const groupsRowBytes = (row: WazuhGroupsRow): number => Buffer.byteLength(JSON.stringify(requestRow(row))) + 1
export const groupsRequestBytes = Buffer.byteLength(setGroupsRequest([]))

export interface ReadGroups {
  readonly rows: readonly WazuhGroupsRow[]
  readonly hash?: string
  /** Rows that break a rule, which are left out. */
  readonly dropped: number
}

const hashPattern = /^[0-9a-f]{40}$/

/** A page of `sync-agent-groups-get`: a list with one object in it. Refuses with `malformed`. */
export const readGroupsPage = (text: string): Result<ReadGroups> => {
  const json = wazuhDbJson(text)
  if (!json.ok) return json
  const page: unknown = Array.isArray(json.value) ? json.value[0] : undefined
  if (!isRecord(page))
    return refuse('malformed', { message: 'The groups of agents that wazuh-db gave are not a list with an object in it' })
  const { data, hash } = page
  return ok({ ...rowsOf(data, readGroupsRow), ...(typeof hash === 'string' && hashPattern.test(hash) && { hash }) })
}

const readGroupsRow = (value: unknown): WazuhGroupsRow | undefined => {
  if (!isRecord(value)) return undefined
  const { groups, id, name = '' } = value
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > limits.agentIdMax) return undefined
  if (typeof name !== 'string' || name.length > limits.agentFactCharsMax) return undefined
  if (!Array.isArray(groups) || groups.length > limits.groupsPerAgentMax) return undefined
  const names: readonly unknown[] = groups
  return names.every((group): group is string => typeof group === 'string' && isGroupName(group)) ? { id, name, groups: names } : undefined
}
