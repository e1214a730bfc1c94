/** The HTTP socket of a fake wazuh-db: its paths, and HTTP as its library speaks it, to the byte. */
import { gzipSync } from 'node:zlib'
import type { WazuhDbAgents } from './wazuhDbAgents.js'
import { rowColumns, rowText, SqlError, type WazuhDbTables } from './wazuhDbTables.js'

type Json = Readonly<Record<string, unknown>>

export interface HttpReply {
  readonly status: 200 | 400 | 404 | 500
  readonly body: string
}

const done = (body = ''): HttpReply => ({ status: 200, body })
const failed: HttpReply = { status: 500, body: '' }

const textColumns = rowColumns
  .split(',')
  .filter((column) => !['id', 'last_keepalive', 'disconnection_time', 'status_code'].includes(column))
const numberColumns = ['last_keepalive', 'disconnection_time', 'status_code']

/** What ends a request with an error. */
class Refused extends Error {}

/** A row whose fields have the right types; its ID is read when its turn comes. */
const typed = (row: unknown): Json => {
  if (typeof row !== 'object' || row === null) throw new Refused()
  const fields = row as Json
  for (const column of textColumns) if (fields[column] !== undefined && typeof fields[column] !== 'string') throw new Refused()
  for (const column of numberColumns) if (fields[column] !== undefined && typeof fields[column] !== 'number') throw new Refused()
  return fields
}

const idOf = ({ id }: Json): number => {
  if (typeof id !== 'number') throw new Refused()
  return id
}

const listIn = (value: unknown): readonly Json[] => {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new Refused()
  return value.map(typed)
}

export class WazuhDbHttp {
  readonly #tables: WazuhDbTables
  readonly #agents: WazuhDbAgents

  constructor(tables: WazuhDbTables, agents: WazuhDbAgents) {
    this.#tables = tables
    this.#agents = agents
  }

  reply(method: string, target: string, body: string): HttpReply {
    const [path] = target.split('?')
    try {
      switch (`${method} ${path}`) {
        case 'GET /v1/agents/sync':
          return done(this.#takeStates())
        case 'POST /v1/agents/sync':
          this.#giveStates(body)
          return done()
        case 'GET /v1/agents/ids':
          return done(JSON.stringify(this.#tables.rows('SELECT id FROM agent WHERE id>0 ORDER BY id').map((row) => row['id'])))
        case 'GET /v1/agents/ids/groups':
          return done(this.#groups())
        case 'POST /v1/agents/summary':
          return done(this.#summary(body))
        case 'POST /v1/agents/restartinfo':
          return done(this.#restartInfo(body))
        default:
          return { status: 404, body: '' }
      }
    } catch (thrown) {
      if (thrown instanceof Refused || thrown instanceof SqlError || thrown instanceof SyntaxError) return failed
      throw thrown
    }
  }

  #takeStates(): string {
    const labels = this.#labels()
    const rows = (wish: string, columns: string): readonly string[] =>
      this.#tables
        .rows(`SELECT ${columns} FROM agent WHERE id>0 AND sync_status=? ORDER BY id`, wish)
        .map((row) => stateText(row, labels.get(Number(row['id']))))
    const lists = {
      syncreq: rows('syncreq', rowColumns),
      syncreq_keepalive: rows('syncreq_keepalive', 'id,version'),
      syncreq_status: rows('syncreq_status', 'id,version,connection_status,disconnection_time,status_code'),
    }
    this.#tables.run("UPDATE agent SET sync_status='synced' WHERE id>0 AND sync_status!='synced'")
    const parts = Object.entries(lists).flatMap(([name, list]) => (list.length > 0 ? [`"${name}":[${list.join(',')}]`] : []))
    return `{${parts.join(',')}}`
  }

  /** Of agents whose whole rows are asked for. */
  #labels(): ReadonlyMap<number, readonly string[]> {
    const labels = new Map<number, string[]>()
    const sql = "SELECT id,key,value FROM labels WHERE id IN (SELECT id FROM agent WHERE sync_status='syncreq') ORDER BY id,key"
    for (const { id, key, value } of this.#tables.rows(sql)) {
      const own = labels.get(Number(id)) ?? []
      own.push(JSON.stringify({ key, value }))
      labels.set(Number(id), own)
    }
    return labels
  }

  #giveStates(body: string): void {
    const { syncreq, syncreq_keepalive, syncreq_status } = JSON.parse(body) as Json
    const [full, keepAlives, statuses] = [listIn(syncreq), listIn(syncreq_keepalive), listIn(syncreq_status)]
    const areDone = this.#agents.overwriteAll(full)
    for (const row of full) {
      const id = idOf(row)
      if (!areDone) this.#agents.overwrite(row, '')
      if (!areDone || row['labels'] !== undefined) this.#agents.trySetLabels(id, row['labels'])
    }
    for (const row of keepAlives) this.#agents.keepAliveNow(idOf(row), String(row['version'] ?? ''))
    for (const row of statuses) {
      idOf(row)
      this.#agents.statusNow(row)
    }
  }

  #groups(): string {
    const groups = new Map<string, string[]>()
    for (const { id, name } of this.#tables.rows(
      'SELECT id_agent AS id,name FROM belongs JOIN `group` ON `group`.id=id_group ORDER BY id_agent,priority',
    )) {
      const own = groups.get(String(id)) ?? []
      groups.set(String(id), [...own, String(name)])
    }
    return groups.size === 0 ? '{}' : JSON.stringify({ data: Object.fromEntries(groups) })
  }

  /** It picks the numbers out of whatever it gets. */
  #summary(body: string): string {
    const ids = body === '' ? undefined : (body.match(/\d+/g) ?? [])
    const among = ids ? `AND agent.id IN (${ids.join(',')})` : ''
    const counted = (sql: string): Json => Object.fromEntries(this.#tables.rows(sql).map(({ n, what }) => [String(what), n]))
    const counts = {
      agents_by_status: counted(
        `SELECT connection_status AS what,COUNT(*) AS n FROM agent WHERE id>0 ${among} GROUP BY what ORDER BY what`,
      ),
      agents_by_groups: counted(
        `SELECT \`group\`.name AS what,COUNT(*) AS n FROM belongs JOIN \`group\` ON \`group\`.id=id_group JOIN agent ON agent.id=id_agent WHERE agent.id>0 ${among} GROUP BY what ORDER BY what`,
      ),
      agents_by_os: counted(
        `SELECT os_platform AS what,COUNT(*) AS n FROM agent WHERE id>0 AND os_platform!='' ${among} GROUP BY what ORDER BY what`,
      ),
    }
    return JSON.stringify(Object.fromEntries(Object.entries(counts).filter(([, count]) => Object.keys(count).length > 0)))
  }

  #restartInfo(body: string): string {
    const { ids = [], negate = false } = (body === '' ? {} : JSON.parse(body)) as {
      readonly ids?: readonly number[]
      readonly negate?: boolean
    }
    const among = ids.length === 0 ? '' : `AND id ${negate ? 'NOT ' : ''}IN (${ids.join(',')})`
    const rows = this.#tables.rows(`SELECT id,version FROM agent WHERE connection_status='active' ${among} ORDER BY id`)
    return JSON.stringify({ items: rows.map(({ id, version }) => ({ id, version: version ?? '' })) })
  }
}

/** Empty texts are left out, numbers that are not there are zero. */
const stateText = (row: Json, labels: readonly string[] | undefined): string => {
  const fields = Object.entries(row).flatMap(([name, value]) => {
    const shown = value ?? (numberColumns.includes(name) ? 0 : '')
    return shown === '' ? [] : [[name, shown] as const]
  })
  const text = rowText(Object.fromEntries(fields))
  return 'name' in row && labels ? `${text.slice(0, -1)},"labels":[${labels.join(',')}]}` : text
}

const statusTexts = { 200: 'OK', 400: 'Bad Request', 404: 'Not Found', 500: 'Internal Server Error' } as const

export interface HttpRequest {
  readonly method: string
  readonly target: string
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** The first request in what came, and what follows it; undefined until it is whole, `bad` when it is no request. */
export const readRequest = (bytes: Buffer): { readonly request: HttpRequest; readonly rest: Buffer } | 'bad' | undefined => {
  const headEnd = bytes.indexOf('\r\n\r\n')
  if (headEnd < 0) return undefined
  const [line = '', ...lines] = bytes.subarray(0, headEnd).toString('latin1').split('\r\n')
  const [method, target, version] = line.split(' ')
  if (!method || !target || !version?.startsWith('HTTP/1.')) return 'bad'
  const headers = new Map(lines.map((text) => [text.slice(0, text.indexOf(':')).toLowerCase(), text.slice(text.indexOf(':') + 1).trim()]))
  const body = bodyOf(bytes.subarray(headEnd + 4), headers)
  return body && { request: { method, target, headers, body: body.text }, rest: body.rest }
}

const bodyOf = (bytes: Buffer, headers: ReadonlyMap<string, string>): { readonly text: string; readonly rest: Buffer } | undefined => {
  if (headers.get('transfer-encoding') !== 'chunked') {
    const length = Number(headers.get('content-length') ?? 0)
    return bytes.length < length ? undefined : { text: bytes.subarray(0, length).toString(), rest: bytes.subarray(length) }
  }
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return undefined
    const length = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16)
    const next = lineEnd + 2 + length + 2
    if (bytes.length < next) return undefined
    if (length === 0) return { text: Buffer.concat(parts).toString(), rest: bytes.subarray(next) }
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + length))
    at = next
  }
}

/** The bytes of a reply, with its headers in the library's order. */
export const replyBytes = ({ body, status }: HttpReply, isLast: boolean, isZipped: boolean): Buffer => {
  const isEmpty = body === ''
  const content = !isEmpty && isZipped ? gzipSync(body) : Buffer.from(body)
  const head = [
    `HTTP/1.1 ${status} ${statusTexts[status]}`,
    ...(isLast ? ['Connection: close'] : []),
    ...(!isEmpty && isZipped ? ['Content-Encoding: gzip'] : []),
    `Content-Length: ${content.length}`,
    ...(isEmpty ? [] : ['Content-Type: application/json']),
    ...(isLast ? [] : ['Keep-Alive: timeout=5, max=5']),
  ]
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), content])
}
