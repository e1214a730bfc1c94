/** What all agents of a fleet share: the world, the deadlines, what is counted, and who may enrol at the same time. */
import type { Deadlines } from '../../base/deadlines.js'
import { limits } from '../../base/limits.js'
import type { KeyEntry } from '../../domain/agents/keyEntry.js'
import type { AgentServer, AgentSettings } from '../../domain/fleet/agentServer.js'
import type { SentRange } from '../../domain/fleet/eventAccount.js'
import type { RunName } from '../../domain/fleet/eventText.js'
import { Latencies } from '../../domain/fleet/latencies.js'
import type { Clock, Random } from '../../ports/machine.js'
import type { AgentNetwork } from '../../ports/network.js'
import { MessageOpener } from '../../wire/agents/agentMessage.js'

export interface FleetPorts {
  readonly network: AgentNetwork
  readonly clock: Clock
  readonly random: Random
}

export interface FleetOptions {
  readonly run: RunName
  readonly agents: number
  /** Agent 7 of `web` is `web-7`. */
  readonly namePrefix: string
  readonly settings: AgentSettings
  /** The agent with this number (from 1) begins at this place of the list of servers; the first when left out. */
  readonly firstServer?: (number: number) => number
  /** The first agents have these; all others enrol. */
  readonly keys: readonly KeyEntry[]
  readonly password?: string
  /** `v4.14.7` */
  readonly version: string
  readonly labels: readonly (readonly [key: string, value: string])[]
  /** Of each agent. */
  readonly eventsPerSecond: number
  /** Of a log line. */
  readonly eventBytes: number
  /** Agents that start, until all have. */
  readonly startsPerSecond: number
  /** How often events are made and sent. */
  readonly tickMs: number
}

/** What happens to agents, for those who watch them. */
export interface FleetObserver {
  /** It is about to ask for a key. */
  enrolling?(number: number): void
  enrolled?(number: number, entry: KeyEntry): void
  /** An enrolment was refused, or failed. */
  notEnrolled?(number: number, error: Error): void
  connected?(number: number, server: AgentServer): void
  /** A keep-alive was acknowledged. */
  kept?(number: number): void
  disconnected?(number: number): void
  configured?(number: number, mergedSum: string): void
}

export interface FleetTotals {
  started: number
  connected: number
  enrolled: number
  enrolmentsFailed: number
  attemptsFailed: number
  /** Connections that were made again after one was lost. */
  reconnects: number
  forcedReconnects: number
  /** Connections after its first, asked for or not, of the agent that made the most of them. */
  movesOfOneMax: number
  /** Times that the manager did not answer for the reconnect time. */
  silences: number
  sent: number
  keepAlives: number
  acknowledgements: number
  configurationsTaken: number
  configurationsBroken: number
  requestsAnswered: number
  /** Messages that were not readable, and what a manager refused with `#!-err`. */
  refusals: number
}

export class FleetContext {
  readonly ports: FleetPorts
  readonly options: FleetOptions
  readonly observer: FleetObserver
  readonly deadlines: Deadlines
  readonly opener = new MessageOpener()
  /** Of all connections that have ended. */
  readonly ranges: SentRange[] = []
  readonly latencies = {
    enrolment: new Latencies(),
    /** From the dial to the acknowledgement of the start-up. */
    startUp: new Latencies(),
    keepAlive: new Latencies(),
    /** From the loss of a connection to the next acknowledged start-up. */
    failover: new Latencies(),
  }
  readonly totals: FleetTotals = {
    started: 0,
    connected: 0,
    enrolled: 0,
    enrolmentsFailed: 0,
    attemptsFailed: 0,
    reconnects: 0,
    forcedReconnects: 0,
    movesOfOneMax: 0,
    silences: 0,
    sent: 0,
    keepAlives: 0,
    acknowledgements: 0,
    configurationsTaken: 0,
    configurationsBroken: 0,
    requestsAnswered: 0,
    refusals: 0,
  }
  readonly enrolments = new Gate(limits.fleetEnrolmentsMax)

  constructor(ports: FleetPorts, options: FleetOptions, observer: FleetObserver, deadlines: Deadlines) {
    this.ports = ports
    this.options = options
    this.observer = observer
    this.deadlines = deadlines
  }
}

/** Lets this many in at the same time; the others wait in their order. */
export class Gate {
  readonly #max: number
  readonly #waiting: (() => void)[] = []
  #inside = 0

  constructor(max: number) {
    this.#max = max
  }

  async run<T>(act: () => Promise<T>): Promise<T> {
    if (this.#inside >= this.#max) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#inside += 1
    try {
      return await act()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#inside -= 1
    }
  }
}
