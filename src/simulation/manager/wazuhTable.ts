/**
 * What wazuh-db keeps, as its neighbours see it: agents, what the master is to know of them, and their groups. Rows are values, so that
 * a state of the table is two maps: what is not committed can be taken back.
 */
import { createHash } from 'node:crypto'
import { ClusterError } from '../../base/errors.js'
import { groupsHash } from '../../domain/agents/groups.js'
import { connectionStatuses, type WazuhAgent, type WazuhGroupsRow, type WazuhStates } from '../../domain/manager/wazuhAgent.js'

/** What the master is to know of an agent, the least first. */
const wishes = ['synced', 'syncreq_keepalive', 'syncreq_status', 'syncreq'] as const
export type SyncWish = (typeof wishes)[number]

export interface WazuhTableRow {
  readonly agent: WazuhAgent
  readonly wish: SyncWish
  readonly groups: readonly string[]
  readonly areGroupsToBeSynced: boolean
}

interface Contents {
  readonly rows: Map<number, WazuhTableRow>
  readonly groups: Set<string>
}

/** A row as it is made. */
const inserted = (id: number, name: string, ip: string): WazuhTableRow => ({
  agent: {
    id,
    name,
    ip,
    node_name: 'unknown',
    last_keepalive: 0,
    connection_status: 'never_connected',
    disconnection_time: 0,
    group_config_status: 'not synced',
    status_code: 0,
  },
  wish: 'synced',
  groups: [],
  areGroupsToBeSynced: false,
})

export class WazuhTable {
  #contents: Contents = { rows: new Map(), groups: new Set() }

  /** The table as it is now, for `restore`. */
  copy(): Contents {
    const { groups, rows } = this.#contents
    return { rows: new Map(rows), groups: new Set(groups) }
  }

  restore({ groups, rows }: Contents): void {
    this.#contents = { rows: new Map(rows), groups: new Set(groups) }
  }

  get(id: number): WazuhTableRow | undefined {
    return this.#contents.rows.get(id)
  }

  /** In order of their IDs. */
  rows(): readonly WazuhTableRow[] {
    return [...this.#contents.rows.values()].sort((a, b) => a.agent.id - b.agent.id)
  }

  get groupNames(): ReadonlySet<string> {
    return this.#contents.groups
  }

  insertAgent(id: number, name: string, ip: string): void {
    if (!this.#contents.rows.has(id)) this.#contents.rows.set(id, inserted(id, name, ip))
  }

  deleteAgent(id: number): void {
    this.#contents.rows.delete(id)
  }

  insertGroup(name: string): void {
    this.#contents.groups.add(name)
  }

  deleteGroup(name: string): void {
    this.#contents.groups.delete(name)
    for (const [id, row] of this.#contents.rows)
      if (row.groups.includes(name)) this.#put(id, { groups: row.groups.filter((group) => group !== name), areGroupsToBeSynced: true })
  }

  /** A stronger wish that is there already stays; `synced` always counts. Unknown agents: nothing happens. */
  update(id: number, agent: Partial<WazuhAgent>, wish: SyncWish): void {
    const row = this.get(id)
    if (!row) return
    const isKept = wish !== 'synced' && wishes.indexOf(row.wish) > wishes.indexOf(wish)
    this.#put(id, { agent: { ...row.agent, ...agent }, wish: isKept ? row.wish : wish })
  }

  /** What the master is to know, which is then taken. */
  takeStates(): WazuhStates {
    const rows = this.rows()
    const wishing = (wish: SyncWish): readonly WazuhAgent[] =>
      rows.filter((row) => row.wish === wish).map(({ agent }) => withoutEmpty(agent))
    const states = {
      syncreq: wishing('syncreq'),
      syncreq_keepalive: wishing('syncreq_keepalive').map(({ id, version }) => withoutEmpty({ id, ...(version && { version }) })),
      syncreq_status: wishing('syncreq_status').map(statusOf),
    }
    for (const { agent, wish } of rows) if (wish !== 'synced') this.#put(agent.id, { wish: 'synced' })
    return states
  }

  /** Fails with `managerRefused` at the first row that breaks a rule: what came before it is written. */
  giveStates(states: WazuhStates, nowSeconds: number): void {
    for (const row of states.syncreq) {
      assertStatuses(row.connection_status, row.group_config_status)
      const known = this.get(row.id)
      if (known) this.#put(row.id, { agent: { last_keepalive: 0, disconnection_time: 0, status_code: 0, ...row }, wish: 'synced' })
    }
    for (const { id, version } of states.syncreq_keepalive)
      this.update(
        id,
        { version: version ?? '', connection_status: 'active', last_keepalive: nowSeconds, disconnection_time: 0, status_code: 0 },
        'synced',
      )
    for (const { connection_status, disconnection_time = 0, id, status_code = 0, version = '' } of states.syncreq_status) {
      assertStatuses(connection_status, 'synced')
      this.update(id, { version, disconnection_time, status_code, ...(connection_status && { connection_status }) }, 'synced')
    }
  }

  /** Of all agents that have groups; undefined without any. */
  groupsHash(): string | undefined {
    const hashes = this.rows().map(({ groups }) => groupsHash(groups))
    return hashes.some((hash) => hash !== '') ? createHash('sha1').update(hashes.join('')).digest('hex') : undefined
  }

  /**
   * An agent has these groups, and no others; its row is made when it has one of them. What is not known of them is left out.
   *
   * @returns whether all are known
   */
  setGroups({ groups, id, name }: WazuhGroupsRow, areToBeSynced: boolean): boolean {
    const wanted = [...new Set(groups)]
    const known = wanted.filter((group) => this.#contents.groups.has(group))
    if (known.length > 0) this.insertAgent(id, name, '0.0.0.0')
    if (this.get(id)) this.#put(id, { groups: known, areGroupsToBeSynced: areToBeSynced })
    return known.length === wanted.length
  }

  groupsAreTaken(id: number): void {
    this.#put(id, { areGroupsToBeSynced: false })
  }

  #put(id: number, changed: Partial<WazuhTableRow>): void {
    const row = this.get(id)
    if (row) this.#contents.rows.set(id, { ...row, ...changed })
  }
}

const withoutEmpty = <T extends object>(row: T): T =>
  // Fields that are left out are optional.
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== '' && value !== undefined)) as T

const statusOf = ({ connection_status, disconnection_time = 0, id, status_code = 0, version }: WazuhAgent) =>
  withoutEmpty({ id, ...(version && { version }), ...(connection_status && { connection_status }), disconnection_time, status_code })

const assertStatuses = (connection: unknown, config: unknown): void => {
  if (!connectionStatuses.some((status) => status === connection) || (config !== 'synced' && config !== 'not synced'))
    throw new ClusterError('managerRefused', { message: 'wazuh-db refused the states of agents: CHECK constraint failed' })
}
