/** The servers of the balancer's backend, kept as they should be: what is remembered of them from round to round, and what is done. */
import { asClusterError, type ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import type { BalancerServer } from '../../domain/balancer/balancerServer.js'
import { type ServerStep, serverPlan } from '../../domain/balancer/serverPlan.js'
import type { Balancer } from '../../ports/balancer.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { BalancedNodes } from './balancedNodes.js'

export interface BackendServersOptions {
  readonly balancer: Balancer
  readonly nodes: BalancedNodes
  readonly removeDisconnectedMs: number
  readonly clock: Pick<Clock, 'monotonicMs'>
  readonly log: Log
}

/** A server that was added is waited for this long before agents are moved. */
const upMsMax = 60_000

const removals = { excluded: 'it is excluded', removed: 'it was removed from the cluster', disconnected: 'it is gone' } as const

type ChangeStep = Exclude<ServerStep, { readonly kind: 'setState' }>

const isChange = (step: ServerStep): step is ChangeStep => step.kind !== 'setState'
const isSeveral = (step: ServerStep | readonly ChangeStep[]): step is readonly ChangeStep[] => Array.isArray(step)

export class BackendServers {
  readonly #options: BackendServersOptions
  /** Of servers that are not up: since when, as far as was seen. */
  readonly #downSinceMs = new Map<string, number>()
  /** Of servers that were added and have not been up yet: until when they are waited for. */
  readonly #awaited = new Map<string, number>()
  /** By server: what was logged of its last refusal, so that it is said once. */
  readonly #refusals = new Map<string, string>()

  constructor(options: BackendServersOptions) {
    this.#options = options
  }

  /** Whether one that was added may still come up. */
  get isAwaiting(): boolean {
    return this.#awaited.size > 0
  }

  /**
   * Makes the balancer have the servers that it should have; returns those that it has. One that it refuses is no reason to leave out the
   * others: fails when the balancer itself does. @param held servers that are to be drained
   */
  async settle(held: ReadonlySet<string>, signal: AbortSignal): Promise<readonly BalancerServer[]> {
    const { balancer } = this.#options
    const servers = await this.#servers(signal)
    const steps = this.#plan(servers, held)
    if (steps.length === 0) return servers
    const changes = steps.filter(isChange)
    const isTogether = balancer.together !== undefined && changes.length > 1
    // A reload makes all servers ready: those that are to be drained come after it.
    const isBefore = (step: ServerStep): boolean => step.kind === 'setState' && step.state === 'ready'
    const ordered = isTogether ? [...steps.filter(isBefore), changes, ...steps.filter((step) => !isBefore(step) && !isChange(step))] : steps
    for (const step of ordered) {
      if (isSeveral(step)) await this.#changeTogether(step, signal)
      else await this.#attempt(step, () => this.#carryOut(step, signal), signal)
    }
    return this.#servers(signal)
  }

  async #changeTogether(changes: readonly ChangeStep[], signal: AbortSignal): Promise<void> {
    const outcomes = await this.#madeTogether(changes, signal)
    for (const [index, step] of changes.entries()) {
      const error = outcomes?.[index]
      const carryOut = outcomes ? () => (error ? Promise.reject(error) : this.#changed(step)) : () => this.#carryOut(step, signal)
      await this.#attempt(step, carryOut, signal)
    }
  }

  /** What became of each. Undefined when all together are refused, which may be for the sake of one: each is to be tried by itself. */
  async #madeTogether(changes: readonly ChangeStep[], signal: AbortSignal): Promise<readonly (ClusterError | undefined)[] | undefined> {
    try {
      return await this.#options.balancer.together?.(changes, signal)
    } catch (thrown) {
      if (asClusterError(thrown).code !== 'balancerFailed') throw thrown
      return undefined
    }
  }

  /** Fails when the balancer does; a refusal is logged. */
  async #attempt(step: ServerStep, carryOut: () => Promise<void> | void, signal: AbortSignal): Promise<void> {
    try {
      await carryOut()
      this.#refusals.delete(step.name)
    } catch (thrown) {
      const error = asClusterError(thrown)
      if (error.code !== 'balancerFailed') throw error
      await this.#options.balancer.servers(signal)
      this.#refused(step, error)
    }
  }

  async #servers(signal: AbortSignal): Promise<readonly BalancerServer[]> {
    const { balancer, clock, log } = this.#options
    const servers = await balancer.servers(signal)
    log.at({ subtag: 'Proxy' }).debug2('Obtained proxy servers')
    const nowMs = clock.monotonicMs()
    const down = new Set(servers.filter(({ isUp }) => !isUp).map(({ name }) => name))
    for (const name of down) if (!this.#downSinceMs.has(name)) this.#downSinceMs.set(name, nowMs)
    for (const name of [...this.#downSinceMs.keys()]) if (!down.has(name)) this.#downSinceMs.delete(name)
    for (const [name, untilMs] of [...this.#awaited]) {
      if (down.has(name) && nowMs < untilMs) continue
      this.#awaited.delete(name)
      if (down.has(name)) log.warning(`Server '${name}' is not up after ${logSeconds(upMsMax)}: agents are balanced without it.`)
    }
    return servers
  }

  #plan(servers: readonly BalancerServer[], held: ReadonlySet<string>): readonly ServerStep[] {
    const { clock, nodes, removeDisconnectedMs } = this.#options
    const nowMs = clock.monotonicMs()
    return serverPlan({
      ...{ servers, held, removeDisconnectedMs },
      nodes: nodes.connected(),
      excludedNodes: nodes.excludedNodes,
      stateOf: (name) => nodes.stateOf(name),
      downMs: (name) => nowMs - (this.#downSinceMs.get(name) ?? nowMs),
    })
  }

  async #carryOut(step: ServerStep, signal: AbortSignal): Promise<void> {
    const { balancer, log } = this.#options
    const { name } = step
    if (step.kind === 'setState') {
      await balancer.setState(name, step.state, signal)
      log.debug(`Server '${name}' was set to ${step.state.toUpperCase()}.`)
      return
    }
    if (step.kind === 'add') await balancer.add({ name, address: step.address }, signal)
    else await balancer.remove(name, signal)
    this.#changed(step)
  }

  #changed(step: ChangeStep): void {
    const { clock, log } = this.#options
    const { name } = step
    if (step.kind === 'remove') {
      log.info(`Server '${name}' was removed: ${removals[step.why]}.`)
      return
    }
    this.#downSinceMs.set(name, clock.monotonicMs())
    this.#awaited.set(name, clock.monotonicMs() + upMsMax)
    log.info(`Server '${name}' was added with the address ${step.address}.`)
  }

  #refused({ kind, name }: ServerStep, { message }: ClusterError): void {
    const what = { add: 'added', remove: 'removed', setState: 'set to another state' }[kind]
    const sentence = `Server '${name}' could not be ${what}: ${fullStop(message)}`
    if (this.#refusals.get(name) !== sentence) this.#options.log.warning(sentence)
    this.#refusals.set(name, sentence)
  }
}
