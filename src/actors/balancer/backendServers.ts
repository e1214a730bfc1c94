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
    for (const step of steps) {
      try {
        await this.#carryOut(step, signal)
        this.#refusals.delete(step.name)
      } catch (thrown) {
        const error = asClusterError(thrown)
        if (error.code !== 'balancerFailed') throw error
        await balancer.servers(signal)
        this.#refused(step, error)
      }
    }
    return this.#servers(signal)
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
    const { balancer, clock, log } = this.#options
    const { name } = step
    switch (step.kind) {
      case 'add':
        await balancer.add({ name, address: step.address }, signal)
        this.#downSinceMs.set(name, clock.monotonicMs())
        this.#awaited.set(name, clock.monotonicMs() + upMsMax)
        log.info(`Server '${name}' was added with the address ${step.address}.`)
        return
      case 'remove':
        await balancer.remove(name, signal)
        log.info(`Server '${name}' was removed: ${removals[step.why]}.`)
        return
      case 'setState':
        await balancer.setState(name, step.state, signal)
        log.debug(`Server '${name}' was set to ${step.state.toUpperCase()}.`)
    }
  }

  #refused({ kind, name }: ServerStep, { message }: ClusterError): void {
    const what = { add: 'added', remove: 'removed', setState: 'set to another state' }[kind]
    const sentence = `Server '${name}' could not be ${what}: ${fullStop(message)}`
    if (this.#refusals.get(name) !== sentence) this.#options.log.warning(sentence)
    this.#refusals.set(name, sentence)
  }
}
