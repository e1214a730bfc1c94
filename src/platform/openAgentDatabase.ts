/** Opens the file of the agents' table: makes it where there is none, checks it, and sets aside what cannot be relied on. */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { AgentDatabase, isDamage } from './agentDatabase.js'
import { applicationId, migrate } from './agentTableSchema.js'

export interface OpenedDatabase {
  readonly database: AgentDatabase
  /** See OpenedStore. */
  readonly setAside?: string
}

/** What makes a file unusable, in the words of a sentence. */
class Damage extends Error {}

const directoryMode = 0o750
const fileMode = 0o640

const check = (database: AgentDatabase): void => {
  const tables = database.number('SELECT count(*) FROM sqlite_schema')
  if (tables > 0 && database.number('PRAGMA application_id') !== applicationId) throw new Damage('it is not one of Muster')
  // Before the file is touched: a table of a newer version is left as it is.
  migrate(database)
  database.execute('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
  const found = database.text('PRAGMA quick_check(1)')
  if (found !== 'ok') throw new Damage(`it is damaged (${found?.replaceAll('\n', ' ')})`)
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

const freeName = (path: string): string => {
  const date = new Date()
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(':', '-')
  const name = `${path}.corrupt-${date}`
  let free = name
  for (let next = 2; existsSync(free); next++) free = `${name}-${next}`
  return free
}

/**
 * `isDamaged`: an operation found that out; the check here may not. Fails with `tableNewer`, and with whatever the file system or
 * SQLite has to say.
 */
export const openAgentDatabase = (path: string, isDamaged: boolean): OpenedDatabase => {
  mkdirSync(dirname(path), { recursive: true, mode: directoryMode })
  try {
    if (isDamaged) throw new Damage('it is damaged')
    // SQLite would take it for a new one, and throw away what the log beside it says.
    if (statSync(path, { throwIfNoEntry: false })?.size === 0) throw new Damage('it is empty')
    return { database: tryOpen(path) }
  } catch (thrown) {
    if (!(thrown instanceof Damage) && !isDamage(thrown)) throw thrown
    const aside = freeName(path)
    for (const suffix of ['-wal', '-shm', '']) if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix)
    const reason = thrown instanceof Damage ? thrown.message : `it is damaged (${thrown instanceof Error ? thrown.message : ''})`
    const setAside =
      `The agents' table ${path} was set aside as ${aside} because ${reason}. An empty one was made: it fills again from client.keys and ` +
      `the reports of the nodes; a worker takes the groups of the agents from its master, and a master from the first worker that has them.`
    return { database: tryOpen(path), setAside }
  }
}
