/** What a worker knows of its master's agents: which table counts, and which agents the master trusts. */
import { Signal } from '../kit/signal.js'

export class MasterState {
  /** Emitted when the master counts in another table than before: nothing is acknowledged to that one. */
  readonly tables = new Signal()
  /** Emitted when the master trusts other agents than before. */
  readonly confirmations = new Signal()
  #table = ''
  #ids = ''

  /** Empty before the first notice. */
  get table(): string {
    return this.#table
  }

  /** The digest of the agents that the master trusts: without it an agent that is merely absent is not treated as removed. Empty before. */
  get ids(): string {
    return this.#ids
  }

  take({ ids, table }: { readonly table: string; readonly ids: string }): void {
    const isNewTable = this.#table !== '' && this.#table !== table
    const areNewIds = this.#ids !== ids
    this.#table = table
    this.#ids = ids
    if (isNewTable) this.tables.emit()
    if (areNewIds) this.confirmations.emit()
  }
}
