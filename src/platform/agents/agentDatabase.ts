/** The little that the agents' table asks of SQLite: statements that are prepared once, rows as JSON, transactions. */
import Database from 'libsql'
import { ClusterError } from '../../base/errors.js'

export type Value = string | number | null

/** While something else holds the lock, SQLite waits this long at a time: in between, the thread can be stopped. */
const lockedMs = 200

const codeIn = (thrown: unknown): string => (thrown instanceof Database.SqliteError ? thrown.code : '')

/** Something else holds the lock; the transaction did not begin. */
export const isLocked = (thrown: unknown): boolean => codeIn(thrown) === 'SQLITE_BUSY'

/** What makes a file unusable, as a part of a sentence. */
export class Damage extends Error {}

/** The file is no database, or none that can be relied on. */
export const isDamage = (thrown: unknown): boolean => thrown instanceof Damage || /^SQLITE_(CORRUPT|NOTADB)/.test(codeIn(thrown))

/** What the file is like shows only when it is opened and checked again: a part of it may have vanished under us. */
const isUntrusted = (thrown: unknown): boolean => codeIn(thrown).startsWith('SQLITE_IOERR')

/** What came of a failed operation of the database, in one sentence. */
export const tableFailure = (path: string, thrown: unknown): ClusterError => {
  if (thrown instanceof ClusterError) return thrown
  const says = thrown instanceof Error ? thrown.message : String(thrown)
  return isDamage(thrown) || isUntrusted(thrown)
    ? new ClusterError('tableDamaged', {
        message: `The agents' table ${path} is damaged; reopening it: ${says}`,
        cause: thrown,
      })
    : new ClusterError('tableFailed', { message: `The agents' table ${path} could not be used: ${says}`, cause: thrown })
}

export class AgentDatabase {
  readonly path: string
  readonly #database: Database.Database
  readonly #statements = new Map<string, Database.Statement<[Value[]]>>()

  constructor(path: string) {
    this.path = path
    this.#database = new Database(path, { timeout: lockedMs })
  }

  execute(sql: string): void {
    this.#database.exec(sql)
  }

  /**
   * The rows of a query whose only column is called `row` and holds JSON. Reading one text is several times as fast as reading
   * values one by one. `T` is what the query says.
   */
  rows<T>(sql: string, ...values: Value[]): T[] {
    const text = this.#one(`SELECT coalesce(group_concat(row), '') FROM (${sql})`, values)
    return JSON.parse(`[${String(text)}]`)
  }

  /** The only value of a query. */
  number(sql: string, ...values: Value[]): number {
    return Number(this.#one(sql, values))
  }

  /** The only value of a query; nothing when there is no row. */
  text(sql: string, ...values: Value[]): string | undefined {
    const value = this.#one(sql, values)
    return value === undefined ? undefined : String(value)
  }

  /** Returns how many rows changed. */
  run(sql: string, ...values: Value[]): number {
    return this.#statement(sql).run(values).changes
  }

  /** All of it, or nothing when it throws. Waits for the lock first, so that a locked table fails before anything is done. */
  transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (thrown) {
      if (this.#database.inTransaction) this.#database.exec('ROLLBACK')
      throw thrown
    }
  }

  /** @throws Damage */
  assertSound(): void {
    const found = this.text('PRAGMA quick_check(1)')
    if (found !== 'ok') throw new Damage(`it is damaged (${found?.replaceAll('\n', ' ')})`)
  }

  /** Leaves a file that is complete without its log. */
  close(): void {
    try {
      this.#one('PRAGMA wal_checkpoint(TRUNCATE)', [])
    } catch {
      // Something else holds the table: what is in the log is as durable there.
    }
    this.#database.close()
  }

  /** Closes a file that cannot be used. */
  abandon(): void {
    this.#database.close()
  }

  #one(sql: string, values: Value[]): unknown {
    const row: unknown = this.#statement(sql).raw().get(values)
    return Array.isArray(row) ? row[0] : undefined
  }

  #statement(sql: string): Database.Statement<[Value[]]> {
    const prepared = this.#statements.get(sql) ?? this.#database.prepare<[Value[]]>(sql)
    this.#statements.set(sql, prepared)
    return prepared
  }
}
