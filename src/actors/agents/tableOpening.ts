/** The agents' table as this process has it open: attempts to open it, the one that holds, and why the last one failed. */
import { asClusterError, type ClusterError } from '../../base/errors.js'
import type { AgentStore, OpenedStore } from '../../ports/agents.js'
import { Signal } from '../kit/signal.js'

export class TableOpening {
  /** Told when an attempt failed. */
  readonly failures = new Signal()
  readonly #store: Pick<AgentStore, 'open'>
  #opening: Promise<OpenedStore> | undefined
  #table = ''
  #failure: ClusterError | undefined

  constructor(store: Pick<AgentStore, 'open'>) {
    this.#store = store
  }

  /** Empty before it is open. */
  get table(): string {
    return this.#table
  }

  /** Of the last attempt, until one succeeds. */
  get failure(): ClusterError | undefined {
    return this.#failure
  }

  /** The same promise for as long as it is open; a failed attempt can be repeated. */
  open(): Promise<OpenedStore> {
    this.#opening ??= this.#attempt()
    return this.#opening
  }

  /** The next `open` opens it anew. */
  giveUp(): void {
    this.#opening = undefined
    this.#table = ''
  }

  async #attempt(): Promise<OpenedStore> {
    try {
      const opened = await this.#store.open()
      this.#table = opened.table
      this.#failure = undefined
      return opened
    } catch (thrown) {
      this.giveUp()
      this.#failure = asClusterError(thrown)
      this.failures.emit()
      throw thrown
    }
  }
}
