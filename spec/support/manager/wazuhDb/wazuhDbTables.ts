/** The tables of a fake wazuh-db: SQLite with the schema that recorded SQL needs, and answers as the real one prints them. */
import { createHash } from 'node:crypto'
import Database from 'libsql'

export type Value = string | number | null

export const rowColumns =
  'id,name,ip,os_name,os_version,os_major,os_minor,os_codename,os_build,os_platform,os_uname,os_arch,version,config_sum,merged_sum,manager_host,node_name,last_keepalive,connection_status,disconnection_time,group_config_status,status_code'
const infoColumns =
  'id,name,ip,register_ip,internal_key,os_name,os_version,os_major,os_minor,os_codename,os_build,os_platform,os_uname,os_arch,version,config_sum,merged_sum,manager_host,node_name,date_add,last_keepalive,`group`,group_hash,group_sync_status,sync_status,connection_status,disconnection_time,group_config_status,status_code'
export const agentInfoSql = `SELECT ${infoColumns} FROM agent WHERE id=?`

const schema = `
PRAGMA foreign_keys = ON;
CREATE TABLE agent (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, ip TEXT, register_ip TEXT, internal_key TEXT,
  os_name TEXT, os_version TEXT, os_major TEXT, os_minor TEXT, os_codename TEXT, os_build TEXT, os_platform TEXT, os_uname TEXT, os_arch TEXT,
  version TEXT, config_sum TEXT, merged_sum TEXT, manager_host TEXT, node_name TEXT DEFAULT 'unknown', date_add INTEGER NOT NULL,
  last_keepalive INTEGER, \`group\` TEXT, group_hash TEXT,
  group_sync_status TEXT NOT NULL CHECK (group_sync_status IN ('synced', 'syncreq')) DEFAULT 'synced',
  sync_status TEXT NOT NULL CHECK (sync_status IN ('synced', 'syncreq', 'syncreq_status', 'syncreq_keepalive')) DEFAULT 'synced',
  connection_status TEXT NOT NULL CHECK (connection_status IN ('pending', 'never_connected', 'active', 'disconnected')) DEFAULT 'never_connected',
  disconnection_time INTEGER DEFAULT 0,
  group_config_status TEXT NOT NULL CHECK (group_config_status IN ('synced', 'not synced')) DEFAULT 'not synced',
  status_code INTEGER DEFAULT 0);
CREATE TABLE labels (id INTEGER REFERENCES agent (id) ON DELETE CASCADE, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (id, key));
CREATE TABLE \`group\` (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE);
CREATE TABLE belongs (
  id_agent INTEGER REFERENCES agent (id) ON DELETE CASCADE, id_group INTEGER REFERENCES \`group\` (id) ON DELETE CASCADE,
  priority INTEGER NOT NULL DEFAULT 0, UNIQUE (id_agent, id_group));
CREATE INDEX belongs_group ON belongs (id_group);
CREATE INDEX agent_sync ON agent (sync_status);
INSERT INTO agent (id, name, ip, register_ip, date_add, last_keepalive, connection_status)
  VALUES (0, 'localhost', '127.0.0.1', '127.0.0.1', strftime('%s', 'now'), 253402300799, 'active');
`

/** What SQLite refuses, in its words. */
export class SqlError extends Error {}

const tried = <T>(act: () => T): T => {
  try {
    return act()
  } catch (thrown) {
    if (thrown instanceof Database.SqliteError) throw new SqlError(thrown.message)
    throw thrown
  }
}

/** As cJSON prints a number. */
const numberText = (value: number): string => {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value)
  return value
    .toPrecision(15)
    .replace(/(\.\d*?)0+(e|$)/, '$1$2')
    .replace(/\.(e|$)/, '$1')
}

const valueText = (value: unknown): string => (typeof value === 'number' ? numberText(value) : JSON.stringify(value))

export const rowText = (row: Readonly<Record<string, unknown>>): string =>
  `{${Object.entries(row)
    .filter(([, value]) => value !== null && value !== undefined)
    .map(([name, value]) => `${JSON.stringify(name)}:${valueText(value)}`)
    .join(',')}}`

export class WazuhDbTables {
  readonly #database: Database.Database
  readonly #statements = new Map<string, Database.Statement<Value[]>>()
  #isOpen = false
  /** Over the groups of all agents, until they change. */
  #hash: string | null | undefined
  readonly #onQuery: () => void

  /** @param onQuery called before each query */
  constructor(onQuery: () => void) {
    this.#onQuery = onQuery
    this.#database = new Database(':memory:')
    this.#database.exec(schema)
  }

  rows(sql: string, ...values: Value[]): readonly Readonly<Record<string, unknown>>[] {
    return tried(() => {
      const statement = this.#prepared(sql)
      if (statement.reader) return statement.all(...values) as Readonly<Record<string, unknown>>[]
      statement.run(...values)
      return []
    })
  }

  run(sql: string, ...values: Value[]): void {
    tried(() => this.#prepared(sql).run(...values))
  }

  /** The only value of a query; undefined without a row. */
  value(sql: string, ...values: Value[]): unknown {
    const [row] = this.rows(sql, ...values)
    return row && Object.values(row)[0]
  }

  commit(): void {
    if (this.#isOpen) this.#database.exec('COMMIT')
    this.#isOpen = false
  }

  /** What a kill takes back. */
  rollback(): void {
    if (this.#isOpen) this.#database.exec('ROLLBACK')
    this.#isOpen = false
    this.#hash = undefined
  }

  close(): void {
    this.#statements.clear()
    this.#database.close()
  }

  groupsChanged(): void {
    this.#hash = undefined
  }

  groupsHash(): string | null {
    if (this.#hash === undefined) {
      const hashes = this.rows('SELECT group_hash FROM agent WHERE id>0 AND group_hash IS NOT NULL ORDER BY id').map(
        (row) => row['group_hash'],
      )
      this.#hash = hashes.length === 0 ? null : createHash('sha1').update(hashes.join('')).digest('hex')
    }
    return this.#hash
  }

  #prepared(sql: string): Database.Statement<Value[]> {
    this.#onQuery()
    if (!this.#isOpen) this.#database.exec('BEGIN')
    this.#isOpen = true
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#database.prepare<Value[]>(sql)
    // What is sent as SQL is another text each time.
    if (sql.includes('?')) this.#statements.set(sql, statement)
    return statement
  }
}
