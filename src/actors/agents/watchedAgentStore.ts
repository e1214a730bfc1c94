/** The AgentStore port as it is, with a call-back when an operation finds the table damaged. */

import { ClusterError } from '../../base/errors.js'
import { CalledAgentStore, type StoreAnswer, type StoreCall, type StoreOperation, type StoreOperations } from '../../calledAgentStore.js'
import type { AgentStore } from '../../ports/agents.js'
import { Signal } from '../kit/signal.js'

export class WatchedAgentStore extends CalledAgentStore {
  readonly damages = new Signal()
  /** The last one, as a sentence. */
  damage = ''
  readonly #store: StoreOperations

  constructor(store: AgentStore) {
    super()
    this.#store = store
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  protected async call<K extends StoreOperation>(name: K, given: StoreCall<K>): Promise<StoreAnswer<K>> {
    const operation: StoreOperations[K] = this.#store[name]
    try {
      return await operation.call(this.#store, ...given)
    } catch (thrown) {
      if (thrown instanceof ClusterError && thrown.code === 'tableDamaged') {
        this.damage = thrown.message
        this.damages.emit()
      }
      throw thrown
    }
  }
}
