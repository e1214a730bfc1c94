/** The AgentStore port as calls by name, for stores whose table is elsewhere: in a thread, or in virtual time. */
import { ClusterError } from './base/errors.js'
import type { AgentStore, StoreOperation } from './ports/agents.js'

export type StoreCall<K extends StoreOperation> = Parameters<AgentStore[K]>
export type StoreAnswer<K extends StoreOperation> = Awaited<ReturnType<AgentStore[K]>>

export abstract class CalledAgentStore implements AgentStore {
  readonly open = this.#operation('open')
  readonly addAgents = this.#operation('addAgents')
  readonly noteRegistrations = this.#operation('noteRegistrations')
  readonly registrations = this.#operation('registrations')
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

  readonly #onDamaged = new Set<(error: ClusterError) => void>()

  onDamaged(damaged: (error: ClusterError) => void): () => void {
    this.#onDamaged.add(damaged)
    return () => this.#onDamaged.delete(damaged)
  }

  protected abstract call<K extends StoreOperation>(name: K, given: StoreCall<K>): Promise<StoreAnswer<K>>
  abstract close(): Promise<void>

  #operation<K extends StoreOperation>(name: K): (...given: StoreCall<K>) => Promise<StoreAnswer<K>> {
    return (...given) => {
      const answer = this.call(name, given)
      answer.catch((thrown: unknown) => {
        if (!(thrown instanceof ClusterError) || thrown.code !== 'tableDamaged') return
        for (const damaged of [...this.#onDamaged]) damaged(thrown)
      })
      return answer
    }
  }
}
