/** The schema of the agents' table, as a list of steps from each version to the next. What is released here is never edited. */
import { ClusterError } from '../../base/errors.js'
import type { AgentDatabase } from './agentDatabase.js'

/** "Must": distinguishes our database from any other file of SQLite. */
export const applicationId = 0x4d757374

/**
 * Presences are narrow, so that keep-alives rewrite little. `change` rises with each row that has to be sent to the master; it is
 * missing on rows that came from others. Texts compare by bytes, as in domain/agents/agent. `facts` are packed (domain/agents/packedFacts): a
 * column for each would cost four times as much to write.
 */
const version1 = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE agent (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  ip TEXT NOT NULL,
  key TEXT NOT NULL,
  groups TEXT NOT NULL DEFAULT '',
  group_hash TEXT NOT NULL DEFAULT '',
  groups_version INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX agent_groups_version ON agent (groups_version) WHERE groups_version > 0;
CREATE TABLE presence (
  id INTEGER PRIMARY KEY,
  seen INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  rank INTEGER NOT NULL,
  node TEXT NOT NULL,
  disconnected INTEGER NOT NULL,
  code INTEGER NOT NULL,
  corrected INTEGER NOT NULL,
  change INTEGER
) STRICT;
CREATE INDEX presence_change ON presence (change) WHERE change IS NOT NULL;
CREATE INDEX presence_uncorrected ON presence (id) WHERE corrected = 0;
CREATE TABLE details (
  id INTEGER PRIMARY KEY,
  seen INTEGER NOT NULL,
  epoch INTEGER NOT NULL,
  node TEXT NOT NULL,
  facts TEXT NOT NULL,
  corrected INTEGER NOT NULL,
  change INTEGER
) STRICT;
CREATE INDEX details_change ON details (change) WHERE change IS NOT NULL;
CREATE INDEX details_uncorrected ON details (id) WHERE corrected = 0;
`

/** Whether the groups of an agent were changed in this table, and not given to it as a default or from a copy. */
const version2 = 'ALTER TABLE agent ADD COLUMN groups_changed INTEGER NOT NULL DEFAULT 0'

/**
 * When an agent was registered, and by what request (domain/agents/replacement); 0 and empty where that is not known. `enrolling`: the
 * same of agents that client.keys does not have yet.
 */
const version3 = `
ALTER TABLE agent ADD COLUMN registered_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE agent ADD COLUMN signature TEXT NOT NULL DEFAULT '';
CREATE TABLE enrolling (key TEXT PRIMARY KEY, registered_ms INTEGER NOT NULL, signature TEXT NOT NULL) STRICT, WITHOUT ROWID;
`

export const agentMigrations: readonly string[] = [version1, version2, version3]

/** Brings a database to the version that `migrations` end in, all steps or none. Fails with `tableNewer` when it is beyond that. */
export const migrate = (database: AgentDatabase, migrations: readonly string[] = agentMigrations): void => {
  const version = database.number('PRAGMA user_version')
  if (version > migrations.length)
    throw new ClusterError('tableNewer', {
      message: `The agents' table ${database.path} has version ${version}, this build knows versions up to ${migrations.length}: install the newer build again, or move the file away to have an empty table made, on a master without the groups of the agents`,
    })
  if (version === migrations.length) return
  database.transaction(() => {
    for (const step of migrations.slice(version)) database.execute(step)
    database.execute(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`)
  })
}
