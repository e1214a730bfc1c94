/** Where the agents' table is, below the home. SQLite keeps files beside it, with `-wal`, `-shm` and `-journal` behind the name. */
export const agentTablePath = 'queue/muster/agents.db'

/** Where earlier builds had it: the place of wazuh-db's own database. */
export const earlierTablePath = 'queue/db/global.db'
