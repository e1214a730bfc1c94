/**
 * The life of the agents' table in this process, as the thread localAgents publishes it. Everybody else reads it here, or waits
 * here for the table to be of use.
 */
import { ClusterError } from '../../base/errors.js'
import type { OpenedStore } from '../../ports/agents.js'
import { Published } from '../kit/published.js'

interface NotOpen {
  /** `closed`: the node stops. */
  readonly state: 'opening' | 'unusable' | 'damaged' | 'closed'
  /** What keeps it from being opened: of the last attempt, until one succeeds. */
  readonly error: ClusterError | undefined
}

/** Open, but client.keys was not read since. */
interface Unread {
  readonly state: 'unread'
  readonly opened: OpenedStore
}

/** It has the agents of client.keys. `trusted`: and no others, because client.keys lacks none by mistake. */
interface Read {
  readonly state: 'suspect' | 'trusted'
  readonly opened: OpenedStore
  /** Of the agents that exist, see KeysPage. */
  readonly idsDigest: string
  /** When client.keys was read into this table for the first time, on the monotonic clock. */
  readonly readMs: number
}

export type TableState = NotOpen | Unread | Read

const isRead = (table: TableState): table is Read => table.state === 'suspect' || table.state === 'trusted'
const errorIn = (table: TableState): ClusterError | undefined => ('error' in table ? table.error : undefined)

export class TableLife extends Published<TableState> {
  constructor() {
    super({ state: 'opening', error: undefined })
  }

  /** The ID of the table; empty while it is not open. */
  get id(): string {
    return 'opened' in this.value ? this.value.opened.table : ''
  }

  /** Of the agents that exist, see KeysPage; empty before client.keys was read. */
  get idsDigest(): string {
    return isRead(this.value) ? this.value.idsDigest : ''
  }

  /** The same, once client.keys is sure to lack no agent by mistake; empty before. */
  get trustedDigest(): string {
    return this.value.state === 'trusted' ? this.idsDigest : ''
  }

  /** When client.keys was read into this table for the first time, on the monotonic clock; undefined before. */
  get readMs(): number | undefined {
    return isRead(this.value) ? this.value.readMs : undefined
  }

  /** Resolves when the table is open and has the agents of client.keys. */
  ready(signal: AbortSignal): Promise<void> {
    return this.waitUntil(isRead, signal)
  }

  /** For somebody who waits for an answer: as `ready`, but fails with what keeps the table from being opened. */
  async usable(signal: AbortSignal): Promise<void> {
    await this.waitUntil((table) => isRead(table) || errorIn(table) !== undefined, signal)
    const error = errorIn(this.value)
    if (error) throw error
  }

  /** Resolves when the table is open, whether or not it has agents yet. Fails with what keeps it from being opened. */
  async opened(signal: AbortSignal): Promise<OpenedStore> {
    await this.waitUntil((table) => 'opened' in table || errorIn(table) !== undefined, signal)
    if ('opened' in this.value) return this.value.opened
    throw errorIn(this.value) ?? new ClusterError('tableDamaged')
  }

  /** The node stops: who waits for an answer waits no longer. */
  close(): void {
    this.publish({ state: 'closed', error: new ClusterError('aborted', { message: "The agents' table is closed" }) })
  }
}
