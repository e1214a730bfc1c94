/** Rows about agents as wazuh-db writes them, taken liberally: what is unknown is left out, what is too long is cut, what is wrong is no row. */
import { limits } from '../../base/limits.js'
import {
  connectionStatuses,
  type WazuhAgent,
  type WazuhKeepAlive,
  type WazuhLabel,
  type WazuhPresence,
  type WazuhStatus,
} from '../../domain/manager/wazuhAgent.js'

type Kind = 'text' | 'number' | 'connection' | 'config' | 'labels'

/** What a full row has, in wazuh-db's order. */
const columns = {
  id: 'number',
  name: 'text',
  ip: 'text',
  os_name: 'text',
  os_version: 'text',
  os_major: 'text',
  os_minor: 'text',
  os_codename: 'text',
  os_build: 'text',
  os_platform: 'text',
  os_uname: 'text',
  os_arch: 'text',
  version: 'text',
  config_sum: 'text',
  merged_sum: 'text',
  manager_host: 'text',
  node_name: 'text',
  last_keepalive: 'number',
  connection_status: 'connection',
  disconnection_time: 'number',
  group_config_status: 'config',
  status_code: 'number',
  labels: 'labels',
} as const satisfies Record<keyof WazuhAgent, Kind>

type Column = keyof typeof columns

/** The columns of the table; labels are in one of their own. */
export const agentColumns = Object.keys(columns).filter((column) => column !== 'labels')

const allColumns = Object.keys(columns) as readonly Column[]
const keepAliveColumns = ['id', 'version'] as const
const statusColumns = ['id', 'version', 'connection_status', 'disconnection_time', 'status_code'] as const
const presenceColumns = ['id', 'node_name', 'last_keepalive', 'connection_status'] as const

/** By the names of their fields; undefined when it is no row. */
export const readAgentRow = (value: unknown): WazuhAgent | undefined => readRow(value, allColumns)
export const readKeepAliveRow = (value: unknown): WazuhKeepAlive | undefined => readRow(value, keepAliveColumns)
export const readStatusRow = (value: unknown): WazuhStatus | undefined => readRow(value, statusColumns)
export const readPresenceRow = (value: unknown): WazuhPresence | undefined => readRow(value, presenceColumns)

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isWrong = Symbol('wrong')

const readRow = <C extends Column>(value: unknown, wanted: readonly C[]): Pick<WazuhAgent, C | 'id'> | undefined => {
  if (!isRecord(value)) return undefined
  const { id } = value
  if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > limits.agentIdMax) return undefined
  const row: Record<string, unknown> = { id }
  for (const column of wanted) {
    if (column === 'id') continue
    const field = Object.hasOwn(value, column) ? readField(columns[column], value[column]) : undefined
    if (field === isWrong) return undefined
    if (field !== undefined) row[column] = field
  }
  // Each column was read as what the type says of it.
  return row as unknown as Pick<WazuhAgent, C | 'id'>
}

/** Undefined when it is empty. */
const readField = (kind: Kind, value: unknown): unknown => {
  if (value === null || value === undefined || value === '') return undefined
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? cut(value, limits.agentFactCharsMax) : isWrong
    case 'number':
      return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : isWrong
    case 'connection':
      return connectionStatuses.some((status) => status === value) ? value : isWrong
    case 'config':
      return value === 'synced' || value === 'not synced' ? value : isWrong
    case 'labels':
      return readLabels(value)
  }
}

const cut = (text: string, charsMax: number): string => wellFormed(text.slice(0, charsMax))

/** Half a character, which no UTF-8 has, becomes the sign for one that is missing. */
const wellFormed = (text: string): string => (/\p{Surrogate}/u.test(text) ? Buffer.from(text).toString() : text)

const readLabels = (value: unknown): unknown => {
  if (!Array.isArray(value)) return isWrong
  const labels: WazuhLabel[] = []
  let chars = 0
  for (const item of value as readonly unknown[]) {
    const label = readLabel(item)
    if (!label) continue
    chars += label.key.length + label.value.length
    if (chars > limits.agentLabelsCharsMax) break
    labels.push(label)
  }
  return labels.length === 0 ? undefined : labels
}

/** Undefined when it has no key, or no text. */
const readLabel = (value: unknown): WazuhLabel | undefined => {
  if (!isRecord(value)) return undefined
  const { key, value: text = '' } = value
  return typeof key === 'string' && key !== '' && typeof text === 'string' ? { key: wellFormed(key), value: wellFormed(text) } : undefined
}
