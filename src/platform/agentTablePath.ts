/** Where the agents' table is, below the home. SQLite keeps files beside it, with `-wal` and `-shm` behind the name. */
export const agentTablePath = 'queue/db/global.db'
