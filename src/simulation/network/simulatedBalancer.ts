/**
 * A load balancer in the simulated network: sends each connection of an agent to the server with the fewest (leastconn), among those that
 * are ready and whose checks pass. Its port is what a master drives it by. Like HAProxy it forgets servers when it is restarted.
 */
import { ClusterError } from '../../base/errors.js'
import { type BalancerServer, takesAgents } from '../../domain/balancer/balancerServer.js'
import type { Balancer } from '../../ports/balancer.js'
import type { Clock } from '../../ports/machine.js'
import type { ByteStream, Listener, Network } from '../../ports/network.js'
import { isBalancerName } from '../../wire/haproxy/runtimeCommand.js'
import type { VirtualClock } from '../world/virtualClock.js'
import { SimulatedRelay } from './simulatedRelay.js'

/** Host of the network that it is. */
export const balancerHost = 'balancer'

/** What it does with a change that it is asked for next. */
export type NextChange = 'answers' | 'refuses' | 'changesWithoutAnswer'

export interface SimulatedBalancerOptions {
  readonly network: Network
  readonly clock: VirtualClock
  readonly agentsPort: number
  note(event: string): void
  violated(rule: string, says: string): void
}

interface Server {
  readonly name: string
  readonly address: string
  state: BalancerServer['state']
  isUp: boolean
  readonly sessions: Set<SimulatedRelay>
}

const checkMs = 1_000
const checkMsMax = 1_000
/** One way, from a master to it. */
export const usualCallMs = 2
const answerMsMax = 1_000

/** As HAProxy's adapters refuse it. */
const checked = (name: string): string => {
  if (isBalancerName(name)) return name
  throw new ClusterError('balancerFailed', { message: `The load balancer cannot have a server with the name ${JSON.stringify(name)}` })
}

export class SimulatedBalancer {
  readonly #options: SimulatedBalancerOptions
  #servers = new Map<string, Server>()
  readonly #relays = new Set<SimulatedRelay>()
  #listener: Listener | undefined
  #checkTimer: unknown
  #turn = 0
  /** What it does with the next change. */
  nextChange: NextChange = 'answers'
  isRunning = false
  /** No call gets to it, or back. */
  isUnreachable = false
  /** One way, from a master to it. */
  callMs = usualCallMs
  /** Counts what changed by itself or by an operator. */
  #foreignChanges = 0
  /** What that count was when a master last saw the servers. */
  #seenByMaster = -1
  /** Changes that it made, besides those that an operator makes. */
  changes = 0

  constructor(options: SimulatedBalancerOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { agentsPort, network } = this.#options
    this.isRunning = true
    this.#listener = await network.listen({ host: '0.0.0.0', port: agentsPort }, (client) => this.#forward(client))
    this.#checkAll()
  }

  /** It forgets its servers. */
  async stop(): Promise<void> {
    this.isRunning = false
    this.#options.clock.clearTimeout(this.#checkTimer)
    const listener = this.#listener
    this.#listener = undefined
    for (const relay of [...this.#relays]) relay.end()
    this.#servers = new Map()
    this.#foreignChanges += 1
    await listener?.close()
  }

  /** @param states those of its servers, as it kept them in a file; when left out it begins without servers */
  async restart(states?: BalancerServer['state']): Promise<void> {
    this.#options.note('the balancer is restarted')
    const kept = states === undefined ? [] : this.servers()
    await this.stop()
    for (const { address, name } of kept)
      this.#servers.set(name, { name, address, state: states ?? 'ready', isUp: false, sessions: new Set() })
    await this.start()
  }

  /** An operator of HAProxy, by hand. */
  setState(name: string, state: BalancerServer['state']): void {
    const server = this.#servers.get(name)
    if (server) server.state = state
    this.#foreignChanges += 1
  }

  /** Ends every fault; a server that somebody put into maintenance is out of it. */
  heal(): void {
    this.nextChange = 'answers'
    this.isUnreachable = false
    this.callMs = usualCallMs
    for (const { name, state } of this.servers()) if (state === 'maintenance') this.setState(name, 'ready')
    if (!this.isRunning) void this.start()
  }

  servers(): readonly BalancerServer[] {
    return [...this.#servers.values()]
      .map(({ address, isUp, name, sessions, state }) => ({
        name,
        address,
        port: this.#options.agentsPort,
        state,
        isUp,
        sessions: sessions.size,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** For a process of a node; `clock` is its own: nothing answers a process that is gone. */
  port(clock: Clock): Balancer {
    const closing = new AbortController()
    const call = <T>(signal: AbortSignal, act: () => T, isChange = false): Promise<T> =>
      this.#call(clock, AbortSignal.any([signal, closing.signal]), act, isChange)
    const change = (signal: AbortSignal, make: () => void): Promise<void> => call(signal, make, true)
    return {
      open: async (signal) => {
        await call(signal, () => undefined)
        return { version: '2.6.12', foreignFrontends: [], warnings: [], reloads: false }
      },
      servers: (signal) =>
        call(signal, () => {
          this.#seenByMaster = this.#foreignChanges
          return this.servers()
        }),
      add: ({ address, name }, signal) => change(signal, () => this.#add(checked(name), address)),
      remove: (name, signal) => change(signal, () => this.#remove(checked(name))),
      setState: (name, state, signal) =>
        change(signal, () => {
          const server = this.#servers.get(name)
          if (!server) throw new ClusterError('balancerFailed', { message: `The load balancer has no server '${name}'` })
          this.#setStateFor(server, state)
        }),
      setHardStop: async () => undefined,
      close: async () => closing.abort(),
    }
  }

  #setStateFor(server: Server, state: BalancerServer['state']): void {
    const tookAgents = this.servers().some(takesAgents)
    server.state = state
    // A command that comes late was given by what was so before.
    const wasSeen = this.#seenByMaster === this.#foreignChanges && 2 * this.callMs < answerMsMax
    if (wasSeen && tookAgents && !this.servers().some(takesAgents))
      this.#options.violated('a master never drains the last server that takes agents', `it drained ${server.name}`)
  }

  #call<T>(clock: Clock, signal: AbortSignal, act: () => T, isChange: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      const { callMs } = this
      const isUnreachable = this.isUnreachable || !this.isRunning
      const next = isChange ? this.nextChange : 'answers'
      if (isChange) this.nextChange = 'answers'
      const isAnswered = !isUnreachable && next !== 'changesWithoutAnswer'
      let outcome = (): void => reject(new ClusterError('balancerFailed', { message: 'The load balancer does not answer' }))
      const arrival = this.#options.clock.setTimeout(() => {
        if (isUnreachable || !this.isRunning) return
        if (next === 'refuses') {
          outcome = () => reject(new ClusterError('balancerFailed', { message: 'The load balancer refused a change' }))
          return
        }
        try {
          const value = act()
          if (isChange) this.changes += 1
          if (isAnswered) outcome = () => resolve(value)
        } catch (thrown) {
          outcome = () => reject(thrown)
        }
      }, callMs)
      const settle = (): void => {
        signal.removeEventListener('abort', abort)
        outcome()
      }
      const answer = clock.setTimeout(settle, isAnswered ? Math.min(2 * callMs, answerMsMax) : answerMsMax)
      const abort = (): void => {
        this.#options.clock.clearTimeout(arrival)
        clock.clearTimeout(answer)
        outcome = () => reject(new ClusterError('aborted'))
        settle()
      }
      signal.addEventListener('abort', abort, { once: true })
      if (signal.aborted) abort()
    })
  }

  #add(name: string, address: string): void {
    const known = this.#servers.get(name)
    if (known?.address === address) {
      known.state = 'ready'
      return
    }
    this.#remove(name)
    this.#options.note(`the balancer has the server ${name}`)
    this.#servers.set(name, { name, address, state: 'ready', isUp: false, sessions: new Set() })
  }

  #remove(name: string): void {
    const server = this.#servers.get(name)
    this.#servers.delete(name)
    for (const relay of [...(server?.sessions ?? [])]) relay.end()
  }

  #checkAll(): void {
    for (const server of this.#servers.values()) void this.#check(server)
    this.#checkTimer = this.#options.clock.setTimeout(() => this.#checkAll(), checkMs)
  }

  async #check(server: Server): Promise<void> {
    const { agentsPort, clock, network } = this.#options
    const abort = new AbortController()
    const timer = clock.setTimeout(() => abort.abort(), checkMsMax)
    try {
      const stream = await network.dial({ host: server.address, port: agentsPort }, abort.signal)
      stream.attach({ onBytes: () => undefined, onDrain: () => undefined, onClosed: () => undefined })
      stream.destroy()
      this.#checked(server, true)
    } catch {
      this.#checked(server, false)
    }
    clock.clearTimeout(timer)
  }

  #checked(server: Server, isUp: boolean): void {
    if (server.isUp !== isUp) this.#foreignChanges += 1
    server.isUp = isUp
  }

  /** Servers take turns where they have as many. */
  #choose(): Server | undefined {
    const shown = this.servers()
    const start = shown.length === 0 ? 0 : this.#turn++ % shown.length
    const inTurn = [...shown.slice(start), ...shown.slice(0, start)].filter(takesAgents)
    const fewest = inTurn.reduce<BalancerServer | undefined>(
      (best, server) => (best && best.sessions <= server.sessions ? best : server),
      undefined,
    )
    return fewest && this.#servers.get(fewest.name)
  }

  #forward(client: ByteStream): void {
    const server = this.#choose()
    if (!server) {
      client.attach({ onBytes: () => undefined, onDrain: () => undefined, onClosed: () => undefined })
      client.destroy()
      return
    }
    const relay: SimulatedRelay = new SimulatedRelay({
      client,
      network: this.#options.network,
      endpoint: { host: server.address, port: this.#options.agentsPort },
      onOver: () => server.sessions.delete(relay),
      onGone: () => this.#relays.delete(relay),
    })
    this.#relays.add(relay)
    server.sessions.add(relay)
  }
}
