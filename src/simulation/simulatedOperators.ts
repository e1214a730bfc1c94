/** Operators who drain nodes, make them ready and remove them, and what they know of it: rules/nodeStateRules.ts holds the nodes to it. */
import { ClusterError, type ErrorCode } from '../base/errors.js'
import { InTurn } from '../base/inTurn.js'
import { limits } from '../base/limits.js'
import type { NodeState } from '../domain/cluster/nodeState.js'
import { AskedNodes } from './askedNodes.js'
import type { SimulatedNode } from './simulatedNode.js'
import type { VirtualClock } from './world/virtualClock.js'

export interface SimulatedOperatorsOptions {
  readonly clock: VirtualClock
  node(name: string): SimulatedNode
  note(event: string): void
}

/** These say that nothing was done. */
const refusals: readonly ErrorCode[] = ['argumentsInvalid', 'unknownNode', 'nodeRemoved', 'notConnected']
/** An answer that does not come in this time is not waited for. */
const patienceMs = 2 * limits.nodeDrainMsMax

export class SimulatedOperators {
  readonly #options: SimulatedOperatorsOptions
  readonly #asked: AskedNodes
  /** What was answered last. */
  readonly #answered = new Map<string, NodeState>()
  /** What was asked for and may have been done, or may still be: nobody answered. */
  readonly #unanswered = new Map<string, Set<NodeState>>()
  /** Which of two commands was the last is known only when one follows the other. */
  readonly #inTurn = new InTurn()
  /** Whether an operator ever spoke of a node. */
  hasSpoken = false

  constructor(options: SimulatedOperatorsOptions) {
    this.#options = options
    this.#asked = new AskedNodes((name) => options.node(name))
  }

  get pending(): number {
    return this.#asked.pending
  }

  /** What a node may be. */
  possible(node: string): ReadonlySet<NodeState> {
    return new Set([this.#answered.get(node) ?? 'ready', ...(this.#unanswered.get(node) ?? [])])
  }

  /** Resolves with whether it was done for certain. */
  say(by: string, node: string, state: NodeState): Promise<boolean> {
    this.hasSpoken = true
    return this.#inTurn.run(async () => {
      const command = { kind: 'setNodeState', node, state, isTrial: false } as const
      const asking = this.#asked.ask(by, refusals, async (running, signal) => {
        for await (const line of running.carryOut(command, signal)) if (line.kind === 'nodeState') return
        throw new ClusterError('internal', { message: 'The answer ended early' })
      })
      const { kind } = await this.#orUnknown(by, asking)
      if (kind === 'done') this.#answered.set(node, state)
      if (kind === 'unknown') this.#unanswered.set(node, (this.#unanswered.get(node) ?? new Set()).add(state))
      this.#options.note(`at ${by}: ${node} is to be ${state}: ${kind}`)
      return kind === 'done'
    })
  }

  gone(node: string): void {
    this.#asked.gone(node)
  }

  /** A node that stands still answers late or never. */
  async #orUnknown<T>(by: string, asking: Promise<T>): Promise<T> {
    const { clock } = this.#options
    const timer = clock.setTimeout(() => this.#asked.gone(by), patienceMs)
    const outcome = await asking
    clock.clearTimeout(timer)
    return outcome
  }
}
