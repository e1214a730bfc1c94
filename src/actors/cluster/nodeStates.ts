/**
 * What operators said of nodes: on a master of all of them, on a worker of itself, as the master says it. It outlives the process. The services
 * that agents connect to follow `own`; the load balancer and those who show nodes follow `changed`.
 */
import { asClusterError, ok, type Result } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { InTurn } from '../../base/inTurn.js'
import { type NodeState, type StatesByNode, withNodeState } from '../../domain/cluster/nodeState.js'
import type { Log } from '../../ports/machine.js'
import type { NodeStatesStore } from '../../ports/nodeStatesStore.js'
import { Published } from '../kit/published.js'
import { Signal } from '../kit/signal.js'

/** What this build can do: a worker that lacks it cannot be drained. */
export const statesCapability = 'states'

export interface NodeStatesOptions {
  /** Of this node. */
  readonly node: string
  readonly store: NodeStatesStore
  readonly log: Log
}

export class NodeStates {
  /** After the change. */
  readonly changed = new Signal<{ readonly node: string; readonly state: NodeState }>()
  /** Of this node; undefined until it was loaded. */
  readonly own = new Published<NodeState | undefined>(undefined)
  /** Never rejects: what cannot be read is logged, and every node is ready. */
  readonly loaded: Promise<void>
  readonly #options: NodeStatesOptions
  readonly #turns = new InTurn()
  #states: StatesByNode = new Map()
  #isRead = false
  /** Of what is to be kept, but need not be when it is said. */
  #keeping: 'kept' | 'wanted' | 'failed' = 'kept'

  constructor(options: NodeStatesOptions) {
    this.#options = options
    this.loaded = this.#turns.run(() => this.#loadFirst())
  }

  stateOf(node: string): NodeState {
    return this.#states.get(node) ?? 'ready'
  }

  /** Of all nodes that were in the cluster, the longest known first. */
  all(): StatesByNode {
    return this.#states
  }

  /**
   * As `decide` says of the state that the node has when it is its turn. Durable when it resolves, with whether anything changed; nothing has
   * when it fails.
   */
  set(node: string, state: NodeState, decide: (current: NodeState) => Result<boolean> = () => ok(true)): Promise<boolean> {
    return this.#turns.run(async () => {
      const states = await this.#read()
      const decided = decide(this.stateOf(node))
      if (!decided.ok) throw decided.error
      if (!decided.value) return false
      const changed = withNodeState(states, node, state)
      if (!changed.ok) throw changed.error
      await this.#options.store.save(changed.value)
      this.#take(node, state)
      return true
    })
  }

  /** A node is in: from now on an operator may speak of it, whether it is there or not. */
  note(node: string): void {
    if (!this.#states.has(node)) this.#takeAndKeep(node, this.stateOf(node))
  }

  /** What the master says of this node holds from now on, whether it can be kept or not. */
  follow(state: NodeState): void {
    const { node } = this.#options
    if (this.own.value !== state || this.#keeping === 'failed') this.#takeAndKeep(node, state)
  }

  #takeAndKeep(node: string, state: NodeState): void {
    this.#take(node, state)
    if (this.#keeping === 'wanted') return
    this.#keeping = 'wanted'
    this.#turns
      .run(async () => {
        const states = await this.#read()
        this.#keeping = 'kept'
        await this.#options.store.save(states)
      })
      .catch((thrown: unknown) => {
        this.#keeping = 'failed'
        this.#options.log.error(`The states of nodes could not be kept: ${fullStop(asClusterError(thrown).message)}`)
      })
  }

  #take(node: string, state: NodeState): void {
    const isChanged = this.stateOf(node) !== state
    const states = withNodeState(this.#states, node, state)
    if (states.ok) this.#states = states.value
    if (node === this.#options.node && this.own.value !== state) this.own.publish(state)
    if (isChanged) this.changed.emit({ node, state })
  }

  async #loadFirst(): Promise<void> {
    const { log, node } = this.#options
    try {
      await this.#read()
    } catch (thrown) {
      const { code, message } = asClusterError(thrown)
      if (code !== 'aborted') log.error(`The states of nodes could not be read, so every node counts as ready: ${fullStop(message)}`)
    }
    // The master may have said it meanwhile.
    if (this.own.value === undefined) this.own.publish(this.stateOf(node))
  }

  /** What could not be read before is read now: it must not be written over. */
  async #read(): Promise<StatesByNode> {
    if (this.#isRead) return this.#states
    const { setAside, states } = await this.#options.store.load()
    this.#isRead = true
    if (setAside !== undefined) this.#options.log.error(setAside)
    const said = this.#states
    for (const [node, state] of states) if (!said.has(node)) this.#take(node, state)
    return this.#states
  }
}
