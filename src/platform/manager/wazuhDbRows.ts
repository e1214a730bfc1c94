/** What wazuh-db has of agents, read by SQL: nothing is taken by it. */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { WazuhAgent, WazuhPresence } from '../../domain/manager/wazuhAgent.js'
import { isRecord, readAgentRow, readPresenceRow } from '../../wire/wazuh/agentRow.js'
import { activeAgentsSql, agentsSql, labelsSql, presencesSql, readNodeCount } from '../../wire/wazuh/agentSql.js'
import { rowsOf } from '../../wire/wazuh/agentStates.js'
import { daemonFailed } from './managerFailure.js'
import { type WazuhDbCommands, wazuhDbName } from './wazuhDbCommands.js'
import { lastIdOf, type SqlPage, WazuhDbSql } from './wazuhDbSql.js'

export class WazuhDbRows {
  readonly #sql: WazuhDbSql

  constructor(commands: WazuhDbCommands) {
    this.#sql = new WazuhDbSql(commands)
  }

  async presencesOf(ids: readonly number[], signal: AbortSignal): Promise<readonly WazuhPresence[]> {
    if (ids.length > limits.wazuhDbPresencesMax)
      throw new ClusterError('tooLarge', {
        message: `${ids.length} agents were asked for: at most ${limits.wazuhDbPresencesMax} are allowed`,
      })
    if (ids.length === 0) return []
    const wanted = new Set(ids)
    const found: WazuhPresence[] = []
    let after: number | undefined = 0
    while (after !== undefined) {
      const from = after
      const page = await this.#sql.page((limit) => presencesSql([...wanted], from, limit), signal)
      found.push(...inOrder(rowsOf(page.rows, readPresenceRow).rows, from).filter(({ id }) => wanted.has(id)))
      after = nextAfter(page, from)
    }
    return found
  }

  /** Goes on over rows that are not valid. */
  async agents(after: number, signal: AbortSignal): Promise<readonly WazuhAgent[]> {
    let from: number | undefined = after
    while (from !== undefined) {
      const start: number = from
      const page = await this.#sql.page((limit) => agentsSql(start, limit), signal)
      const agents = inOrder(rowsOf(page.rows, readAgentRow).rows, start)
      if (agents.length > 0) return this.#labelled(agents, signal)
      from = nextAfter(page, start)
    }
    return []
  }

  async activeAgents(signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>()
    for (let after = ''; ; ) {
      const page = await this.#sql.page((limit) => activeAgentsSql(after, limit), signal)
      const known = counts.size
      for (const { agents, node } of rowsOf(page.rows, readNodeCount).rows) {
        counts.set(node, agents)
        after = node
      }
      if (page.isLast || counts.size >= limits.workersMax) return counts
      if (counts.size === known) throw notOnward()
    }
  }

  async #labelled(agents: readonly WazuhAgent[], signal: AbortSignal): Promise<readonly WazuhAgent[]> {
    const [first, last] = [agents[0]?.id ?? 0, agents.at(-1)?.id ?? 0]
    const labels = new Map<number, unknown[]>()
    for (let offset = 0; ; ) {
      const from = offset
      const page = await this.#sql.page((limit) => labelsSql(first, last, from, limit), signal)
      for (const row of page.rows) {
        if (!isRecord(row)) continue
        const { id } = row
        if (typeof id !== 'number') continue
        const own = labels.get(id)
        if (own) own.push(row)
        else labels.set(id, [row])
      }
      offset += page.rows.length
      if (page.isLast || offset >= limits.wazuhDbLabelsMax) break
    }
    return agents.map((agent) => {
      const own = labels.get(agent.id)
      return own ? (readAgentRow({ ...agent, labels: own }) ?? agent) : agent
    })
  }
}

/** Rows that come after this one, each after the one before it. */
const inOrder = <T extends { readonly id: number }>(rows: readonly T[], after: number): readonly T[] => {
  let last = after
  return rows.filter(({ id }) => {
    if (id <= last) return false
    last = id
    return true
  })
}

/** Where the next page begins; undefined after the last. */
const nextAfter = (page: SqlPage, after: number): number | undefined => {
  if (page.isLast) return undefined
  const last = lastIdOf(page.rows, after)
  if (last === undefined) throw notOnward()
  return last
}

const notOnward = (): ClusterError => daemonFailed(wazuhDbName, 'answered badly: its rows do not come in order')
