/** The nodes of the cluster, as the balancer is to serve them. */
import type { ServedNode } from '../../domain/balancer/serverPlan.js'
import type { NodeState } from '../../domain/cluster/nodeState.js'
import type { NodeStates } from '../cluster/nodeStates.js'
import type { Registry } from '../cluster/registry.js'

export interface BalancedNodesOptions {
  /** The master. */
  readonly self: ServedNode
  readonly registry: Pick<Registry, 'get' | 'members' | 'joined' | 'left'>
  readonly states: Pick<NodeStates, 'changed' | 'loaded' | 'stateOf'>
  readonly excludedNodes: readonly string[]
  /** In place of the address by which the master knows a node. */
  readonly addresses: Readonly<Record<string, string>>
}

export class BalancedNodes {
  readonly #options: BalancedNodesOptions

  constructor(options: BalancedNodesOptions) {
    this.#options = options
  }

  get loaded(): Promise<void> {
    return this.#options.states.loaded
  }

  get excludedNodes(): readonly string[] {
    return this.#options.excludedNodes
  }

  /** Connected, the master among them, in order of their names. */
  connected(): readonly ServedNode[] {
    const { addresses, registry, self } = this.#options
    const workers = registry.members().map(({ link, name }) => ({ name, address: link.peer.address }))
    return [self, ...workers]
      .map(({ address, name }) => ({ name, address: Object.hasOwn(addresses, name) ? (addresses[name] ?? address) : address }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  stateOf(name: string): NodeState {
    return this.#options.states.stateOf(name)
  }

  /** Whether agents may be sent to it and be taken from it. */
  isServed(name: string): boolean {
    const { registry, self } = this.#options
    const isConnected = name === self.name || registry.get(name) !== undefined
    return isConnected && !this.excludedNodes.includes(name) && this.stateOf(name) === 'ready'
  }

  /** Calls back at each change that is worth a round. Returns what stops that. */
  changes(wake: () => void): readonly (() => void)[] {
    const { registry, states } = this.#options
    return [registry.joined.add(wake), registry.left.add(wake), states.changed.add(wake)]
  }
}
