/** What a worker has heard of its master's agents: which table counts, and which agents the master believes in. */
import { Signal } from '../kit/signal.js'

export class MasterState {
  /** Told when the master counts in another table than before: nothing is acknowledged to that one. */
  readonly tables = new Signal()
  /** Told when the master believes in other agents than before. */
  readonly confirmations = new Signal()
  #table = ''
  #ids = ''

  /** Empty before anything was heard. */
  get table(): string {
    return this.#table
  }

  /** The digest of the agents that the master believes in: without it nobody is gone who is only missing. Empty before. */
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
