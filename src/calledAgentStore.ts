/** The AgentStore port as calls by name, for stores whose table is elsewhere: in a thread, or in virtual time. */
import type { AgentStore } from './ports/agents.js'

export type StoreOperation = keyof AgentStore
export type StoreCall<K extends StoreOperation> = Parameters<AgentStore[K]>
export type StoreAnswer<K extends StoreOperation> = Awaited<ReturnType<AgentStore[K]>>
/** The port again, so that an operation can be had by its name. */
export type StoreOperations = { readonly [K in StoreOperation]: (...given: StoreCall<K>) => Promise<StoreAnswer<K>> }

export abstract class CalledAgentStore implements AgentStore {
  readonly open = this.#operation('open')
  readonly addAgents = this.#operation('addAgents')
  readonly removeAgents = this.#operation('removeAgents')
  readonly keepAgents = this.#operation('keepAgents')
  readonly highestId = this.#operation('highestId')
  readonly record = this.#operation('record')
  readonly correct = this.#operation('correct')
  readonly unsent = this.#operation('unsent')
  readonly acknowledge = this.#operation('acknowledge')
  readonly merge = this.#operation('merge')
  readonly silence = this.#operation('silence')
  readonly groupsState = this.#operation('groupsState')
  readonly changeGroups = this.#operation('changeGroups')
  readonly groupsPage = this.#operation('groupsPage')
  readonly takeGroups = this.#operation('takeGroups')
  readonly settleGroups = this.#operation('settleGroups')
  readonly restoreGroups = this.#operation('restoreGroups')
  readonly multigroups = this.#operation('multigroups')
  readonly groupSizes = this.#operation('groupSizes')
  readonly shape = this.#operation('shape')
  readonly list = this.#operation('list')
  readonly counts = this.#operation('counts')

  protected abstract call<K extends StoreOperation>(name: K, given: StoreCall<K>): Promise<StoreAnswer<K>>
  abstract close(): Promise<void>

  #operation<K extends StoreOperation>(name: K): (...given: StoreCall<K>) => Promise<StoreAnswer<K>> {
    return (...given) => this.call(name, given)
  }
}
