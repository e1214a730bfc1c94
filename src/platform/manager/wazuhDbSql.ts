/** Rows of wazuh-db by SQL, in pages: an answer that was cut is asked for again in a shorter page. */
import { isRecord } from '../../wire/wazuh/agentRow.js'
import { wazuhDbJson } from '../../wire/wazuh/agentStates.js'
import { daemonFailed } from './managerFailure.js'
import { type WazuhDbCommands, wazuhDbName } from './wazuhDbCommands.js'

export interface SqlPage {
  readonly rows: readonly unknown[]
  /** There are no rows after these. */
  readonly isLast: boolean
}

const rowsMax = 256

export class WazuhDbSql {
  readonly #commands: WazuhDbCommands

  constructor(commands: WazuhDbCommands) {
    this.#commands = commands
  }

  /** @param sql of a page of this many rows. Fails as WazuhDbCommands, and with `managerFailed` when a single row is too long. */
  async page(sql: (limit: number) => string, signal: AbortSignal): Promise<SqlPage> {
    for (let limit = rowsMax; limit > 0; limit = Math.floor(limit / 2)) {
      const answer = await this.#commands.query(sql(limit), signal)
      if (answer === undefined) continue
      const json = wazuhDbJson(answer)
      if (!json.ok) throw daemonFailed(wazuhDbName, `answered badly: ${json.error.message}`)
      if (!Array.isArray(json.value)) throw daemonFailed(wazuhDbName, 'answered badly: it answered SQL with no list')
      const rows: readonly unknown[] = json.value
      // More than was asked for is no answer to it, and could be anything.
      if (rows.length > limit) throw daemonFailed(wazuhDbName, 'answered badly: it answered SQL with more rows than were asked for')
      return { rows, isLast: rows.length < limit }
    }
    throw daemonFailed(wazuhDbName, 'has a row that is too long to be read')
  }
}

/** The ID of the last row that has one, to go on after it; undefined when there is none after `after`. */
export const lastIdOf = (rows: readonly unknown[], after: number): number | undefined => {
  for (const row of rows.toReversed()) {
    if (!isRecord(row)) continue
    const { id } = row
    if (typeof id === 'number' && Number.isSafeInteger(id) && id > after) return id
  }
  return undefined
}
