/** Rows of agents in a fake wazuh-db: what the manager's daemons write, and what the master is to know of them. */
import { rowColumns, SqlError, type Value, type WazuhDbTables } from './wazuhDbTables.js'

type Fields = Readonly<Record<string, unknown>>

export const wishes = ['synced', 'syncreq_keepalive', 'syncreq_status', 'syncreq'] as const
export type Wish = (typeof wishes)[number]

const now = "CAST(strftime('%s','now') AS INTEGER)"

/** Columns that a full row overwrites, but for its ID. */
const overwritten = rowColumns.split(',').filter((column) => column !== 'id')
const overwriteSql = `UPDATE agent SET ${overwritten.map((column) => `${column}=?`).join(',')},sync_status='synced' WHERE id=?`
const numbers = new Set(['last_keepalive', 'disconnection_time', 'status_code'])

const overwriteAllSql = `UPDATE agent SET ${overwritten
  .map((column) => `${column}=COALESCE(given.value->>'$.${column}',${numbers.has(column) ? '0' : "''"})`)
  .join(',')},sync_status='synced' FROM json_each(?) AS given WHERE agent.id=given.value->>'$.id'`

const sqlValue = (value: unknown): Value => (typeof value === 'number' || typeof value === 'string' ? value : null)

/** `"key":value` in lines. */
const labelLines = (text: string): readonly { readonly key: string; readonly value: string }[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ({ key: line.slice(0, line.indexOf(':')), value: line.slice(line.indexOf(':') + 1) }))

export class WazuhDbAgents {
  readonly #tables: WazuhDbTables

  constructor(tables: WazuhDbTables) {
    this.#tables = tables
  }

  insert({ date_add, group, id, internal_key, ip, name, register_ip }: Fields): void {
    this.#tables.run(
      'INSERT INTO agent (id,name,ip,register_ip,internal_key,date_add,`group`) VALUES (?,?,?,?,?,?,?)',
      ...[id, name, ip, register_ip, internal_key, date_add, group].map(sqlValue),
    )
    this.#tables.groupsChanged()
  }

  delete(id: number): void {
    this.#tables.run('DELETE FROM belongs WHERE id_agent=?', id)
    this.#tables.run('DELETE FROM agent WHERE id=?', id)
    this.#tables.groupsChanged()
  }

  /** wazuh-remoted: a keep-alive with what the agent says of itself. */
  update(data: Fields): void {
    const columns = overwritten.filter((column) => !['name', 'ip', 'last_keepalive', 'disconnection_time', 'status_code'].includes(column))
    this.#tables.run(
      `UPDATE agent SET ${columns.map((column) => `${column}=?`).join(',')},ip=?,last_keepalive=${now},sync_status=?,disconnection_time=0,status_code=0 WHERE id=?`,
      ...columns.map((column) => sqlValue(data[column])),
      sqlValue(data['agent_ip']),
      this.#raised(data),
      Number(data['id']),
    )
    if (typeof data['labels'] === 'string') this.setLabels(Number(data['id']), labelLines(data['labels']))
  }

  keepAlive(data: Fields): void {
    this.#tables.run(
      `UPDATE agent SET last_keepalive=${now},connection_status=?,sync_status=?,disconnection_time=0,status_code=0 WHERE id=?`,
      ...[String(data['connection_status']), this.#raised(data), Number(data['id'])],
    )
  }

  connection(data: Fields): void {
    const isGone = data['connection_status'] === 'disconnected'
    this.#tables.run(
      `UPDATE agent SET connection_status=?,sync_status=?,disconnection_time=${isGone ? now : '0'},status_code=COALESCE(?,status_code) WHERE id=?`,
      ...[String(data['connection_status']), this.#raised(data), sqlValue(data['status_code']), Number(data['id'])],
    )
  }

  statusCode(data: Fields): void {
    this.#tables.run(
      'UPDATE agent SET status_code=?,version=?,sync_status=? WHERE id=?',
      ...[sqlValue(data['status_code']), sqlValue(data['version']), this.#raised(data), Number(data['id'])],
    )
  }

  resetConnections(syncStatus: string): void {
    this.#tables.run(
      `UPDATE agent SET connection_status='disconnected',sync_status=?,disconnection_time=${now} WHERE id>0 AND connection_status NOT IN ('disconnected','never_connected')`,
      syncStatus,
    )
  }

  /** A full row: every column, and what it lacks becomes `missing`, or zero where that is a text. */
  overwrite(row: Fields, missing: '' | null): void {
    const values = overwritten.map((column) => sqlValue(row[column]) ?? (missing === '' && numbers.has(column) ? 0 : missing))
    this.#tables.run(overwriteSql, ...values, sqlValue(row['id']))
  }

  /** As `overwrite` for each and without labels, in one statement. False, and nothing is done, when any of them breaks a rule. */
  overwriteAll(rows: readonly Fields[]): boolean {
    const ids = new Set(rows.map(({ id }) => id))
    if (ids.size < rows.length || ![...ids].every((id) => typeof id === 'number')) return false
    try {
      this.#tables.run(overwriteAllSql, JSON.stringify(rows))
      this.#tables.run('DELETE FROM labels WHERE id IN (SELECT value FROM json_each(?))', JSON.stringify([...ids]))
      return true
    } catch (thrown) {
      if (thrown instanceof SqlError) return false
      throw thrown
    }
  }

  /** As the states of a worker are given to a master. */
  keepAliveNow(id: number, version: string): void {
    this.#tables.run(
      `UPDATE agent SET version=?,last_keepalive=${now},connection_status='active',disconnection_time=0,status_code=0,sync_status='synced' WHERE id=?`,
      version,
      id,
    )
  }

  statusNow(row: Fields): void {
    this.#tables.run(
      "UPDATE agent SET version=?,connection_status=?,disconnection_time=?,status_code=?,sync_status='synced' WHERE id=?",
      ...[sqlValue(row['version']) ?? '', sqlValue(row['connection_status']) ?? ''],
      ...[sqlValue(row['disconnection_time']) ?? 0, sqlValue(row['status_code']) ?? 0, Number(row['id'])],
    )
  }

  setLabels(id: number, labels: unknown): void {
    this.#tables.run('DELETE FROM labels WHERE id=?', id)
    for (const label of Array.isArray(labels) ? (labels as readonly Fields[]) : [])
      this.#tables.run('INSERT INTO labels (id,key,value) VALUES (?,?,?)', id, sqlValue(label['key']), sqlValue(label['value']) ?? '')
  }

  /** As `setLabels`; what is refused is only logged. */
  trySetLabels(id: number, labels: unknown): void {
    try {
      this.setLabels(id, labels)
    } catch (thrown) {
      if (!(thrown instanceof SqlError)) throw thrown
    }
  }

  /** Rows of `sync-agent-info-get`, those of this wish with higher IDs. */
  wishing(wish: Wish, after: number): readonly Fields[] {
    const columns = {
      synced: 'id',
      syncreq: rowColumns,
      syncreq_status: 'id,last_keepalive,connection_status,disconnection_time,status_code',
      syncreq_keepalive: 'id,last_keepalive',
    }[wish]
    const rows = this.#tables.rows(`SELECT ${columns} FROM agent WHERE id>? AND sync_status=? ORDER BY id`, after, wish)
    return wish === 'syncreq' ? rows.map((row) => ({ ...row, labels: this.labels(Number(row['id'])) })) : rows
  }

  labels(id: number): readonly Fields[] {
    return this.#tables.rows('SELECT id,key,value FROM labels WHERE id=? ORDER BY key', id)
  }

  synced(id: number): void {
    this.#tables.run("UPDATE agent SET sync_status='synced' WHERE id=?", id)
  }

  /** A stronger wish that is there already stays; `synced`, or what is no wish at all, passes. */
  #raised({ id, sync_status = 'synced' }: Fields): string {
    const wish = String(sync_status)
    if (wish === 'synced') return wish
    const has = this.#tables.value('SELECT sync_status FROM agent WHERE id=?', Number(id))
    const rank = (value: unknown): number => wishes.indexOf(value as Wish)
    return rank(wish) >= 0 && rank(has) > rank(wish) ? String(has) : wish
  }
}
