/**
 * Many agents of our own in one process, on shared deadlines: starts them one after the other, makes their events come to be, and
 * ends them so that every event is accounted for.
 */
import { Deadlines } from '../../base/deadlines.js'
import type { SentRange } from '../../domain/fleet/eventAccount.js'
import type { LatencySummary } from '../../domain/fleet/latencies.js'
import { FleetAgent } from './fleetAgent.js'
import { FleetContext, type FleetObserver, type FleetOptions, type FleetPorts, type FleetTotals } from './fleetContext.js'

export interface FleetCounts extends FleetTotals {
  /** Events that found the buffer of their agent full. */
  readonly dropped: number
}

export type FleetLatencies = { readonly [K in keyof FleetContext['latencies']]: LatencySummary }

export class Fleet {
  readonly agents: readonly FleetAgent[]
  readonly #context: FleetContext
  readonly #deadlines: Deadlines
  #timer: unknown
  #tickedMs = 0
  #startedAtMs = 0
  #begun = 0

  constructor(ports: FleetPorts, options: FleetOptions, observer: FleetObserver = {}) {
    this.#deadlines = new Deadlines(ports.clock)
    const context = new FleetContext(ports, options, observer, this.#deadlines)
    this.#context = context
    this.agents = Array.from({ length: options.agents }, (_, index) => new FleetAgent(index + 1, context))
  }

  start(): void {
    const nowMs = this.#nowMs()
    this.#startedAtMs = nowMs
    this.#tickedMs = nowMs
    this.#tick()
  }

  counts(): FleetCounts {
    return { ...this.#context.totals, dropped: this.agents.reduce((sum, agent) => sum + agent.dropped, 0) }
  }

  latencies(): FleetLatencies {
    const { enrolment, failover, keepAlive, startUp } = this.#context.latencies
    return { enrolment: enrolment.summary(), failover: failover.summary(), keepAlive: keepAlive.summary(), startUp: startUp.summary() }
  }

  /** Agents connected to each server, by its address. */
  connectedTo(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    for (const { isConnected, server } of this.agents) {
      const name = `${server.host}:${server.port}`
      counts.set(name, (counts.get(name) ?? 0) + (isConnected ? 1 : 0))
    }
    return counts
  }

  /** Ends all agents as SIGTERM would; those whose connection is not closed after this long are cut off. Returns what was sent over which connections. */
  async stop(msMax: number): Promise<readonly SentRange[]> {
    const { clock } = this.#context.ports
    clock.clearTimeout(this.#timer)
    let cutOff: unknown
    const tooLong = new Promise<void>((resolve) => {
      cutOff = clock.setTimeout(resolve, msMax)
    })
    await Promise.race([Promise.all(this.agents.map((agent) => agent.stop())), tooLong])
    clock.clearTimeout(cutOff)
    this.kill()
    return this.#context.ranges
  }

  /** The process is gone: nothing is said to anybody. Returns what was sent over which connections that have ended by now. */
  kill(): readonly SentRange[] {
    this.#context.ports.clock.clearTimeout(this.#timer)
    for (const agent of this.agents) agent.kill()
    this.#deadlines.clear()
    return this.#context.ranges
  }

  #tick(): void {
    const { options, ports } = this.#context
    const nowMs = this.#nowMs()
    const passedMs = nowMs - this.#tickedMs
    this.#tickedMs = nowMs
    const due = Math.ceil(((nowMs - this.#startedAtMs + options.tickMs) * options.startsPerSecond) / 1_000)
    for (; this.#begun < Math.min(due, this.agents.length); this.#begun++) this.agents[this.#begun]?.start()
    if (options.eventsPerSecond > 0) for (let at = 0; at < this.#begun; at++) this.agents[at]?.tick(passedMs)
    this.#timer = ports.clock.setTimeout(() => this.#tick(), options.tickMs)
  }

  #nowMs(): number {
    return this.#context.ports.clock.monotonicMs()
  }
}
