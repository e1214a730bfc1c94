/**
 * One pass of balancing: agents leave the servers that have too many. Meanwhile only those that have too few take agents; the others are
 * held, which is: drained. Each agent is asked to reconnect once at most.
 */
import { asClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { type AgentMoves, agentMoves } from '../../domain/balancer/agentMoves.js'
import { type BalancerServer, takesAgents } from '../../domain/balancer/balancerServer.js'
import { isMovable, someOf } from '../../domain/balancer/reconnectingAgents.js'
import type { AgentListsStore } from '../../ports/agents.js'
import type { Clock, Log, Random } from '../../ports/machine.js'
import type { AgentOperations } from '../agents/agentOperations.js'
import { agentPages } from '../agents/agentPages.js'
import type { BalancedNodes } from './balancedNodes.js'

export interface AgentPassOptions {
  readonly nodes: BalancedNodes
  readonly store: Pick<AgentListsStore, 'list'>
  readonly operations: Pick<AgentOperations, 'reconnect'>
  readonly imbalanceTolerance: number
  readonly agentChunkSize: number
  readonly agentReconnectionMs: number
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly random: Pick<Random, 'fraction'>
  readonly log: Log
}

interface Leaving {
  readonly id: number
  readonly node: string
}

const sumOf = (loads: Iterable<number>): number => [...loads].reduce((a, b) => a + b, 0)

export class AgentPass {
  readonly held: ReadonlySet<string>
  readonly #options: AgentPassOptions
  readonly #receivers: ReadonlySet<string>
  #waiting: readonly Leaving[]
  #dueMs: number
  #asked = 0

  private constructor(
    options: AgentPassOptions,
    servers: readonly BalancerServer[],
    receivers: ReadonlySet<string>,
    waiting: readonly Leaving[],
  ) {
    this.#options = options
    this.#receivers = receivers
    this.#waiting = waiting
    this.#dueMs = options.clock.monotonicMs()
    this.held = new Set(servers.map(({ name }) => name).filter((name) => !receivers.has(name)))
  }

  /** Undefined: the servers are balanced, or no agent can be moved. */
  static async begin(options: AgentPassOptions, servers: readonly BalancerServer[]): Promise<AgentPass | undefined> {
    const { log, nodes } = options
    const balanced = servers.filter((server) => takesAgents(server) && nodes.isServed(server.name))
    const loads = new Map(balanced.map(({ name, sessions }) => [name, sessions]))
    const moves = agentMoves(loads, options.imbalanceTolerance)
    if (moves.leaving.size === 0) return undefined
    const waiting = await chosen(options, moves)
    const shown = [...loads].map(([name, load]) => `${name}: ${load}`).join(', ')
    if (waiting.length === 0) {
      log.debug(`Servers are not balanced (${shown}), but none of the agents can be asked to reconnect.`)
      return undefined
    }
    log.info(
      `Servers are not balanced (${shown}). Moving ${waiting.length} of ${sumOf(moves.leaving.values())} agents to ${[...moves.receivers].join(', ')}.`,
    )
    return new AgentPass(options, servers, moves.receivers, waiting)
  }

  /** Until what is next. */
  get restMs(): number {
    return Math.max(0, this.#dueMs - this.#options.clock.monotonicMs())
  }

  /** Asks the next agents when it is time. @param servers as they are now. Returns whether there is more to do. */
  async advance(servers: readonly BalancerServer[], signal: AbortSignal): Promise<boolean> {
    const { agentChunkSize, agentReconnectionMs, clock, log } = this.#options
    if (!servers.some((server) => this.#receivers.has(server.name) && takesAgents(server))) {
      log.warning(`No more agents are moved: none of ${[...this.#receivers].join(', ')} takes any.`)
      return false
    }
    if (this.restMs > 0) return true
    if (this.#waiting.length === 0) {
      log.info(`${this.#asked} agents were asked to reconnect.`)
      return false
    }
    const chunk = this.#waiting.slice(0, agentChunkSize)
    this.#waiting = this.#waiting.slice(agentChunkSize)
    await this.#ask(chunk, signal)
    this.#dueMs = clock.monotonicMs() + agentReconnectionMs
    return true
  }

  async #ask(chunk: readonly Leaving[], signal: AbortSignal): Promise<void> {
    const { log, operations } = this.#options
    const ids = await this.#stillThere(chunk)
    if (ids.length === 0) return
    try {
      const nodes = [...new Set(chunk.map(({ node }) => node))]
      const outcomes = await operations.reconnect({ ids, nodes }, signal)
      this.#asked += sumOf(outcomes.map(({ agents }) => agents))
      for (const { error, node } of outcomes)
        if (error !== undefined) log.warning(`The agents of '${node}' could not be asked: ${fullStop(error)}`)
    } catch (thrown) {
      const { code, message } = asClusterError(thrown)
      // A node has left, or an agent was removed, since they were chosen: the next pass sees what is left to do.
      if (code !== 'unknownNode' && code !== 'agentMissing') throw thrown
      log.debug(`Agents could not be asked to reconnect: ${fullStop(message)}`)
    }
  }

  /** Those that went elsewhere by themselves have moved already. */
  async #stillThere(chunk: readonly Leaving[]): Promise<readonly number[]> {
    const { nodes, store } = this.#options
    const nodeOf = new Map(chunk.map(({ id, node }) => [id, node]))
    const ids: number[] = []
    for await (const page of agentPages(store, { ids: [...nodeOf.keys()] }))
      for (const view of page) {
        const node = nodeOf.get(view.id) ?? ''
        if (isMovable(view, node) && nodes.isServed(node)) ids.push(view.id)
      }
    return ids
  }
}

/** As many as should leave, where there are as many. */
const chosen = async ({ random, store }: AgentPassOptions, { leaving }: AgentMoves): Promise<readonly Leaving[]> => {
  const all: Leaving[] = []
  for (const [node, count] of leaving) {
    const movable: Leaving[] = []
    for await (const page of agentPages(store, { nodes: [node], statuses: ['active'] }))
      for (const view of page) if (isMovable(view, node)) movable.push({ id: view.id, node })
    all.push(...someOf(movable, count, random.fraction()))
  }
  return all
}
