/**
 * HAProxy helper: keeps the servers of the balancer's backend in line with the nodes that are connected, and moves agents from those that have
 * too many to those that have too few. Once, on the master. A pass that moves agents goes on over several rounds, so that a node
 * that joins or leaves meanwhile does not wait for it. What is drained for a pass is known to the run of this thread alone:
 * whatever drained server a new run finds is made ready first of all.
 */
import type { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import type { BalancerServer } from '../../domain/balancer/balancerServer.js'
import type { BalancingOptions } from '../../domain/balancer/balancingOptions.js'
import { hardStopMs } from '../../domain/balancer/hardStop.js'
import type { AgentListsStore } from '../../ports/agents.js'
import type { Balancer, BalancerOpening } from '../../ports/balancer.js'
import type { Clock, Log, Random } from '../../ports/machine.js'
import type { AgentOperations } from '../agents/agentOperations.js'
import { periodicThread, type RoundEnd } from '../kit/periodicThread.js'
import { AgentPass } from './agentPass.js'
import { BackendServers } from './backendServers.js'
import type { BalancedNodes } from './balancedNodes.js'

export interface HaproxyHelperOptions {
  readonly balancer: Balancer
  readonly balancing: BalancingOptions
  readonly nodes: BalancedNodes
  readonly store: Pick<AgentListsStore, 'counts' | 'list'>
  /** Undefined: agents cannot be asked to reconnect, because a real manager has them; only the servers are kept. */
  readonly operations: Pick<AgentOperations, 'reconnect'> | undefined
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly random: Pick<Random, 'fraction'>
  /** Tagged HAPHelper. */
  readonly log: Log
}

/** After a failure; or the interval, when that is shorter. */
const retryMs = 10_000
/** While a server that was added is not up yet. */
const awaitMs = 1_000

type Step = 'opening' | 'settling' | 'moving'

class HelperRun {
  readonly #options: HaproxyHelperOptions
  readonly #servers: BackendServers
  #opening: BalancerOpening | undefined
  #shown: readonly BalancerServer[] = []
  #pass: AgentPass | undefined
  /** Agents and workers come back by themselves after a start, and agents after they were moved. */
  #settledMs: number
  #hardStopNodes: number | undefined
  #trouble: string | undefined
  #hasStarted = false

  constructor(options: HaproxyHelperOptions) {
    const { balancer, balancing, clock, log, nodes } = options
    this.#options = options
    this.#servers = new BackendServers({ balancer, nodes, removeDisconnectedMs: balancing.removeDisconnectedMs, clock, log })
    this.#settledMs = clock.monotonicMs() + balancing.stabilityMs
  }

  /** Until the next round. */
  get restMs(): number {
    const { frequencyMs } = this.#options.balancing
    if (this.#trouble !== undefined) return Math.min(frequencyMs, retryMs)
    if (this.#pass) return Math.min(frequencyMs, this.#pass.restMs)
    if (this.#servers.isAwaiting) return Math.min(frequencyMs, awaitMs)
    const settlesMs = this.#settledMs - this.#options.clock.monotonicMs()
    return settlesMs > 0 ? Math.min(frequencyMs, settlesMs) : frequencyMs
  }

  async open(signal: AbortSignal): Promise<Step> {
    const { balancer, nodes } = this.#options
    await nodes.loaded
    if (this.#opening) return 'settling'
    const opening = await balancer.open(signal)
    this.#opening = opening
    this.#hardStopNodes = undefined
    this.#logOpening(opening)
    return 'settling'
  }

  async settle(signal: AbortSignal): Promise<Step> {
    this.#shown = await this.#servers.settle(this.#pass?.held ?? new Set(), signal)
    await this.#limitOldProcesses(signal)
    return 'moving'
  }

  async move(signal: AbortSignal): Promise<Step | RoundEnd> {
    const { balancing, clock } = this.#options
    if (!this.#pass) return (await this.#begin()) ? 'settling' : this.#done()
    if (await this.#pass.advance(this.#shown, signal)) return this.#done()
    this.#pass = undefined
    this.#settledMs = clock.monotonicMs() + balancing.stabilityMs
    return 'settling'
  }

  failed({ message }: ClusterError): void {
    const { log } = this.#options
    if (message !== this.#trouble)
      log.error(`${fullStop(message)} Trying again every ${Math.min(this.#options.balancing.frequencyMs, retryMs) / 1_000} seconds.`)
    this.#trouble = message
    this.#opening = undefined
    if (this.#pass) this.#settledMs = this.#options.clock.monotonicMs() + this.#options.balancing.stabilityMs
    this.#pass = undefined
  }

  #done(): RoundEnd {
    if (this.#trouble !== undefined) this.#options.log.info('The HAProxy helper is working again.')
    this.#trouble = undefined
    return 'done'
  }

  async #begin(): Promise<boolean> {
    const { balancing, clock, log, nodes, operations, random, store } = this.#options
    if (!operations || this.#servers.isAwaiting || clock.monotonicMs() < this.#settledMs) return false
    const { agentChunkSize, agentReconnectionMs, imbalanceTolerance } = balancing
    const options = { nodes, store, operations, clock, random, log, agentChunkSize, agentReconnectionMs, imbalanceTolerance }
    this.#pass = await AgentPass.begin(options, this.#shown)
    return this.#pass !== undefined
  }

  /** Of HAProxy: where a change is a reload, as many agents as there are have to be done with it. */
  async #limitOldProcesses(signal: AbortSignal): Promise<void> {
    const { balancer, balancing, nodes, store } = this.#options
    const count = nodes.connected().length
    if (!this.#opening?.reloads || this.#hardStopNodes === count) return
    const { byStatus } = await store.counts()
    await balancer.setHardStop(hardStopMs({ ...balancing, agents: byStatus.active, nodes: count }), signal)
    this.#hardStopNodes = count
  }

  #logOpening({ foreignFrontends, reloads, warnings, version }: BalancerOpening): void {
    const { log, operations } = this.#options
    const proxyLog = log.at({ subtag: 'Proxy' })
    // These four, as Wazuh writes them.
    proxyLog.debug2('Obtained proxy backends')
    proxyLog.debug2('Obtained proxy frontends')
    if (this.#hasStarted) return
    log.info('Proxy was initialized')
    if (version !== undefined) log.debug(`HAProxy has version ${version}.`)
    log.info(
      `Ensuring only exists one HAProxy process. ${reloads ? 'Not sleeping: old ones end by their hard stop.' : 'Not sleeping: no change needs a reload.'}`,
    )
    for (const warning of warnings) log.warning(warning)
    if (foreignFrontends.length > 0)
      log.warning(
        `Other HAProxy frontends use the agents' port: ${foreignFrontends.join(', ')}. Agents that connect through them are not balanced: remove them.`,
      )
    if (!operations)
      log.warning('Agents are not moved from one node to another: a Wazuh manager has them. New ones go to the node with the fewest.')
    log.info('Starting HAProxy Helper')
    this.#hasStarted = true
  }
}

export const haproxyHelper = (options: HaproxyHelperOptions) =>
  periodicThread<undefined, HelperRun, Step>({
    id: 'haproxyHelper',
    clock: options.clock,
    everyMs: options.balancing.frequencyMs,
    begin: () => new HelperRun(options),
    wakes: (_run, wake) => options.nodes.changes(wake),
    initial: 'opening',
    steps: {
      opening: (run, { signal }) => run.open(signal),
      settling: (run, { signal }) => run.settle(signal),
      moving: (run, { signal }) => run.move(signal),
    },
    restMs: (run) => run.restMs,
    onFailure: (run, error) => run.failed(error),
  })
