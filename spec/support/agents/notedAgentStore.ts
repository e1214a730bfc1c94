import type { StoreAnswer, StoreCall } from '../../../src/calledAgentStore.js'
import type { StoreOperation } from '../../../src/ports/agents.js'
import { MemoryAgentStore } from '../../../src/simulation/world/memoryAgentStore.js'

/** A simulated store that notes which operations are called. */
export class NotedAgentStore extends MemoryAgentStore {
  readonly called: StoreOperation[] = []

  /** How often an operation was called. */
  times(operation: StoreOperation): number {
    return this.called.filter((name) => name === operation).length
  }

  protected override call<K extends StoreOperation>(name: K, given: StoreCall<K>): Promise<StoreAnswer<K>> {
    this.called.push(name)
    return super.call(name, given)
  }
}
