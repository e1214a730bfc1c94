/** What all stores of agents that are called by operation name have in common. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClusterError, errorTable, isErrorCode } from '../src/base/errors.js'
import { CalledAgentStore, type StoreAnswer } from '../src/calledAgentStore.js'
import type { StoreOperation } from '../src/ports/agents.js'

/** Answers every call with this failure. */
class FailingStore extends CalledAgentStore {
  readonly #failure: ClusterError

  constructor(failure: ClusterError) {
    super()
    this.#failure = failure
  }

  protected call<K extends StoreOperation>(): Promise<StoreAnswer<K>> {
    return Promise.reject(this.#failure)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

const operations = {
  open: (store: CalledAgentStore) => store.open(),
  addAgents: (store: CalledAgentStore) => store.addAgents([], 0),
  record: (store: CalledAgentStore) => store.record({ presences: [], details: [] }, 0, true),
  groupsState: (store: CalledAgentStore) => store.groupsState(),
  counts: (store: CalledAgentStore) => store.counts(),
}

describe('a store of agents', () => {
  it('reports each call that finds the table damaged, before the call fails, and no other failure', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(operations)),
        fc.oneof(fc.constant('tableDamaged' as const), fc.constantFrom(...Object.keys(errorTable).filter(isErrorCode))),
        async (operation, code) => {
          const failure = new ClusterError(code)
          const store = new FailingStore(failure)
          const events: unknown[] = []
          const stop = store.onDamaged((error) => events.push(error))
          const ask = () => operation(store).catch((thrown: unknown) => events.push('answered', thrown))
          await ask()
          expect(events).toEqual([...(code === 'tableDamaged' ? [failure] : []), 'answered', failure])
          stop()
          await ask()
          expect(events.slice(-2)).toEqual(['answered', failure])
          expect(events.filter((event) => event === failure).length).toBe(code === 'tableDamaged' ? 3 : 2)
        },
      ),
    ))
})
