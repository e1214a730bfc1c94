/** Opens the file of the agents' table: makes it where there is none, checks it, and sets a damaged one aside. */
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import type { OpenedStore } from '../../ports/agents.js'
import { AgentDatabase, Damage, isDamage } from './agentDatabase.js'
import { assertNotForeign, hasSidecars, inspectTableFile, notOurs, setAside } from './agentTableFile.js'
import { applicationId, migrate } from './agentTableSchema.js'
import { clearEarlierTable, type FileSteps, fileSteps, moveEarlierTable, type TableMove } from './earlierTable.js'

export interface OpenedDatabase {
  readonly database: AgentDatabase
  /** What became of tables that were there. */
  readonly found: Pick<OpenedStore, 'setAside' | 'earlier'>
}

export interface OpenAgentDatabaseOptions {
  readonly path: string
  /** Where earlier builds had it. */
  readonly earlierPath: string
  /** An operation found that the table is damaged; the check here may not. */
  readonly isDamaged: boolean
  readonly steps?: FileSteps
}

const directoryMode = 0o750
const fileMode = 0o640

const check = (database: AgentDatabase): void => {
  const tables = database.number('SELECT count(*) FROM sqlite_schema')
  if (tables > 0 && database.number('PRAGMA application_id') !== applicationId) throw notOurs(database.path)
  // Before the file is touched: a table of a newer version is left as it is.
  migrate(database)
  database.execute('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  database.assertSound()
}

const tryOpen = (path: string): AgentDatabase => {
  closeSync(openSync(path, 'a', fileMode))
  chmodSync(path, fileMode)
  const database = new AgentDatabase(path)
  try {
    check(database)
    return database
  } catch (thrown) {
    database.abandon()
    throw thrown
  }
}

const openExisting = (path: string, isDamaged: boolean): AgentDatabase => {
  const kind = assertNotForeign(path)
  if (isDamaged) throw new Damage('it is damaged')
  // SQLite would take it for a new one, and throw away what the log beside it says.
  if (kind === 'empty') throw new Damage('it is empty')
  if (kind === 'missing' && hasSidecars(path)) throw new Damage('only its log is left')
  return tryOpen(path)
}

/** Sets a damaged table aside and says so; fails with what is no damage. */
const replaced = (path: string, thrown: unknown): string => {
  if (!isDamage(thrown)) throw thrown
  const reason = thrown instanceof Damage ? thrown.message : `it is damaged (${thrown instanceof Error ? thrown.message : ''})`
  return (
    `The agents' table ${path} was set aside as ${setAside(path)} because ${reason}. An empty one was made: it fills again from client.keys and ` +
    `the reports of the nodes; a worker takes the groups of the agents from its master, and a master from the first worker that has them.`
  )
}

/** Before there is a table in its place. */
const takeOver = (move: TableMove): OpenedDatabase['found'] => {
  try {
    const earlier = moveEarlierTable(move)
    return earlier ? { earlier } : {}
  } catch (thrown) {
    return { setAside: replaced(move.from, thrown) }
  }
}

/** Once there is a table in its place. */
const clear = (move: TableMove): OpenedDatabase['found'] => {
  const earlier = clearEarlierTable(move)
  return earlier ? { earlier } : {}
}

/**
 * Fails with `tableNewer`, with `tableNotOurs` when the file there is of another program, and with whatever the file system or
 * SQLite has to say.
 */
export const openAgentDatabase = ({ earlierPath, isDamaged, path, steps = fileSteps }: OpenAgentDatabaseOptions): OpenedDatabase => {
  mkdirSync(dirname(path), { recursive: true, mode: directoryMode })
  const move: TableMove = { from: earlierPath, to: path, steps }
  const isNew = inspectTableFile(path) === 'missing' && !hasSidecars(path)
  const taken = isNew ? takeOver(move) : {}
  try {
    const database = openExisting(path, isDamaged)
    return { database, found: isNew ? taken : clear(move) }
  } catch (thrown) {
    const says = replaced(path, thrown)
    const database = tryOpen(path)
    return { database, found: { ...clear(move), setAside: says } }
  }
}
