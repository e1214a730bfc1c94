/**
 * What became of agents, as wazuh-db gives and takes it: from 4.13 an object of three lists by HTTP, before that a list of rows that
 * differ by their fields.
 */
import { ok, type Result, refuse } from '../../base/errors.js'
import { jsonPieces } from '../../base/json/jsonPieces.js'
import { isJsonWithin } from '../../base/json/jsonWithin.js'
import { limits } from '../../base/limits.js'
import type { WazuhAgent, WazuhKeepAlive, WazuhStates, WazuhStatus } from '../../domain/manager/wazuhAgent.js'
import { isRecord, readAgentRow, readKeepAliveRow, readStatusRow } from './agentRow.js'

export interface ReadStates {
  readonly states: WazuhStates
  /** Rows that break a rule, which are in no list. */
  readonly dropped: number
}

const bounds = { depthMax: limits.wazuhDbDepthMax, valuesMax: limits.wazuhDbValuesMax }

/** JSON of wazuh-db, within bounds. Refuses with `malformed`. */
export const wazuhDbJson = (text: string): Result<unknown> => {
  if (!isJsonWithin(text, bounds))
    return refuse('malformed', { message: 'An answer of wazuh-db has too many values or is nested too deeply' })
  try {
    return ok(JSON.parse(text) as unknown)
  } catch {
    return refuse('malformed', { message: 'An answer of wazuh-db is not JSON' })
  }
}

/** Reads what `takeStates` took, of any version. Refuses with `malformed` what is neither; a row that is wrong is counted and left out. */
export const readTakenStates = (text: string): Result<ReadStates> => {
  const json = wazuhDbJson(text)
  return json.ok ? readSlice(json.value) : json
}

/**
 * The same in slices of at most this many rows, each read when it is wanted: thousands of rows take longer than a turn may. Fails with
 * `malformed` where something is not as it must be; the slices before it are good.
 */
export function* takenSlices(text: string, rowsMax: number): Generator<ReadStates> {
  for (const piece of jsonPieces(text, rowsMax)) {
    const read = readTakenStates(piece)
    if (!read.ok) throw read.error
    yield read.value
  }
}

const readSlice = (value: unknown): Result<ReadStates> => {
  if (Array.isArray(value)) return ok(readMixedRows(value))
  if (!isRecord(value)) return refuse('malformed', { message: 'The states of agents that wazuh-db gave are neither an object nor a list' })
  const full = rowsOf(value['syncreq'], readAgentRow)
  const keepAlives = rowsOf(value['syncreq_keepalive'], readKeepAliveRow)
  const statuses = rowsOf(value['syncreq_status'], readStatusRow)
  return ok({
    states: { syncreq: full.rows, syncreq_keepalive: keepAlives.rows, syncreq_status: statuses.rows },
    dropped: full.dropped + keepAlives.dropped + statuses.dropped,
  })
}

/** The rows of a list of which some may be wrong. What is no list is one wrong row. */
export const rowsOf = <T>(
  list: unknown,
  read: (row: unknown) => T | undefined,
): { readonly rows: readonly T[]; readonly dropped: number } => {
  if (list === undefined || list === null) return { rows: [], dropped: 0 }
  if (!Array.isArray(list)) return { rows: [], dropped: 1 }
  const rows: T[] = []
  for (const item of list) {
    const row = read(item)
    if (row) rows.push(row)
  }
  return { rows, dropped: list.length - rows.length }
}

const readMixedRows = (list: readonly unknown[]): ReadStates => {
  const syncreq: WazuhAgent[] = []
  const keepAlives: WazuhKeepAlive[] = []
  const statuses: WazuhStatus[] = []
  let dropped = 0
  const put = <T>(into: T[], row: T | undefined): void => {
    if (row) into.push(row)
    else dropped += 1
  }
  for (const item of list)
    if (isRecord(item) && 'name' in item) put(syncreq, readAgentRow(item))
    else if (isRecord(item) && 'connection_status' in item) put(statuses, readStatusRow(item))
    else put(keepAlives, readKeepAliveRow(item))
  return { states: { syncreq, syncreq_keepalive: keepAlives, syncreq_status: statuses }, dropped }
}

/** For `POST /v1/agents/sync`, and what `takeStates` of a simulated one gives. */
export const statesJson = ({ syncreq, syncreq_keepalive, syncreq_status }: WazuhStates): string =>
  JSON.stringify({
    ...(syncreq.length > 0 && { syncreq }),
    ...(syncreq_keepalive.length > 0 && { syncreq_keepalive }),
    ...(syncreq_status.length > 0 && { syncreq_status }),
  })

/** What a row of a list takes in a request, with its comma. */
export const stateRowBytes = (row: WazuhAgent | WazuhKeepAlive | WazuhStatus): number =>
  Buffer.byteLength(JSON.stringify(labelled(row))) + 1

/** What a request takes besides its rows. */
export const statesRequestBytes = 128

/** In requests of before 4.13 each label says whose it is, and only a list of labels, be it empty, takes those away that were there. */
const labelled = (row: WazuhAgent | WazuhKeepAlive | WazuhStatus): object => ({
  ...row,
  labels: 'labels' in row && row.labels ? row.labels.map((label) => ({ id: row.id, ...label })) : [],
})

/**
 * The same for versions before 4.13, whose one request for rows overwrites every column: what is no full row is a request of its own, as
 * wazuh-remoted writes them.
 */
export const stateRequests = ({ syncreq, syncreq_keepalive, syncreq_status }: WazuhStates): readonly string[] => [
  ...(syncreq.length > 0 ? [`global sync-agent-info-set ${JSON.stringify(syncreq.map(labelled))}`] : []),
  ...syncreq_keepalive.map(
    (row) => `global update-keepalive ${JSON.stringify({ ...row, connection_status: 'active', sync_status: 'synced' })}`,
  ),
  ...syncreq_status.map(
    ({ id, connection_status, status_code = 0, version }) =>
      `global update-connection-status ${JSON.stringify({ id, connection_status, sync_status: 'synced', version, status_code })}`,
  ),
]
