/**
 * A network in virtual time, driven by the verbs of the physical world: partition, repair, hold, release, reset,
 * crash, freeze. What happens depends on the seed, the verbs and the order of the calls only.
 */
import { ClusterError } from '../../base/errors.js'
import type { AgentNetwork, ByteStream, Endpoint, Network } from '../../ports/network.js'
import type { SeededRandom } from '../world/seededRandom.js'
import type { VirtualClock } from '../world/virtualClock.js'
import {
  type Conditions,
  type DatagramFaults,
  defaultLatency,
  drawLatencyMs,
  type LatencyRange,
  type NetworkCounters,
  noDatagramFaults,
  PairCounts,
  type Passage,
} from './networkConditions.js'
import { type DatagramWorld, openSimulatedDatagrams } from './simulatedDatagrams.js'
import { SimulatedDial } from './simulatedDial.js'
import { SimulatedHost } from './simulatedHost.js'
import { SimulatedConnection } from './simulatedStream.js'
import { dialSimulatedTls, listenSimulatedTls } from './simulatedTls.js'

export interface SimulatedNetworkOptions {
  readonly clock: VirtualClock
  readonly random: SeededRandom
  readonly latency?: LatencyRange
  /** Of each direction of each connection; without a limit when left out. */
  readonly bytesPerSecond?: number
  /** Share of the arrivals whose bytes are split or joined differently, from 0 to 1. */
  readonly segmentedShare?: number
  readonly windowBytes?: number
  /** How long a dial waits for an answer. */
  readonly connectMsMax?: number
  readonly datagramFaults?: DatagramFaults
  /** Called for every delivery; see Trace. */
  readonly trace?: { add(atMs: number, actorPath: string, event: string): void }
}

export const createSimulatedNetwork = (options: SimulatedNetworkOptions): SimulatedNetwork => new SimulatedNetwork(options)

export class SimulatedNetwork {
  readonly #conditions: Conditions
  readonly #initial: Pick<Conditions, 'latency' | 'bytesPerSecond' | 'datagramFaults'>
  readonly #random: SeededRandom
  readonly #trace: SimulatedNetworkOptions['trace']
  readonly #hosts = new Map<string, SimulatedHost>()
  readonly #connections = new Set<SimulatedConnection>()
  readonly #dials = new Map<SimulatedDial, SimulatedHost>()
  readonly #partitions = new PairCounts()
  readonly #holds = new PairCounts()
  readonly #datagrams: DatagramWorld
  #connectionCount = 0
  #datagramSocketCount = 0

  constructor(options: SimulatedNetworkOptions) {
    this.#initial = {
      latency: options.latency ?? defaultLatency,
      bytesPerSecond: options.bytesPerSecond ?? Number.POSITIVE_INFINITY,
      datagramFaults: options.datagramFaults ?? noDatagramFaults,
    }
    this.#conditions = {
      clock: options.clock,
      ...this.#initial,
      segmentedShare: options.segmentedShare ?? 0.25,
      windowBytes: options.windowBytes ?? 256 * 1_024,
      connectMsMax: options.connectMsMax ?? 10_000,
    }
    this.#random = options.random
    this.#trace = options.trace
    this.#datagrams = {
      conditions: this.#conditions,
      resolve: (from, address) => this.#resolve(from, address),
      passage: (from, to) => this.#passage(from, to),
      onTaken: (from, to, byteCount) => this.#traceTaken(from, to, `a datagram of ${byteCount} bytes`),
    }
  }

  /** What the node's ports get. Other nodes reach it by this name, or by its `addressOf`. */
  network(node: string): AgentNetwork {
    const host = this.#host(node)
    const network: Network = {
      dial: (endpoint, signal) => this.#dial(host, endpoint, signal),
      listen: (endpoint, onConnection) => host.listen(endpoint, onConnection),
    }
    const tlsWorld = { network, host, clock: this.#conditions.clock }
    return {
      ...network,
      dialTls: (endpoint, tls, signal) => dialSimulatedTls(tlsWorld, endpoint, tls, signal),
      listenTls: (endpoint, tls, onConnection, onAcceptError) =>
        listenSimulatedTls(tlsWorld, endpoint, tls, { onConnection, onAcceptError }),
      openDatagrams: (endpoint, onDatagram) => {
        const random = this.#random.fork(`datagrams ${node} ${++this.#datagramSocketCount}`)
        return openSimulatedDatagrams(host, endpoint, this.#datagrams, random, onDatagram)
      },
    }
  }

  addressOf(node: string): string {
    return this.#host(node).address
  }

  /** Nothing gets from one to the other any more, and neither is informed. Each partition needs its own repair. */
  partition(a: string, b: string): void {
    this.#partitions.add(a, b)
    this.#passageChanged()
  }

  repair(a: string, b: string): void {
    this.#partitions.remove(a, b)
    this.#passageChanged()
  }

  /** All that is sent between the two waits, and arrives after the release. */
  hold(a: string, b: string): void {
    this.#holds.add(a, b)
    this.#passageChanged()
  }

  release(a: string, b: string): void {
    this.#holds.remove(a, b)
    this.#passageChanged()
  }

  /** A partition from everyone. */
  isolate(node: string): void {
    this.#host(node).isolations++
    this.#passageChanged()
  }

  rejoin(node: string): void {
    const host = this.#host(node)
    host.isolations = Math.max(0, host.isolations - 1)
    this.#passageChanged()
  }

  /** Cuts the connections between the two; both ends get an error. */
  reset(a: string, b: string): void {
    for (const connection of [...this.#connections]) if (isBetween(connection, a, b)) connection.cut()
  }

  /** One way, of what is sent from now on. */
  setLatency(latency: LatencyRange): void {
    this.#conditions.latency = latency
  }

  /** Of what is sent from now on; what waits for the line notices within a piece of 50 ms or 1 KiB. */
  setBandwidth(bytesPerSecond: number): void {
    this.#conditions.bytesPerSecond = bytesPerSecond
  }

  /** Of what is sent from now on. */
  setDatagramFaults(faults: DatagramFaults): void {
    this.#conditions.datagramFaults = faults
  }

  /** The process stands still: its machine acknowledges and buffers, it neither receives nor sends anything until `thaw`. */
  freeze(node: string): void {
    this.#host(node).freeze()
  }

  thaw(node: string): void {
    const host = this.#host(node)
    host.thaw()
    this.#deliverTo(host)
  }

  /**
   * Sockets and listeners are gone, and none of the node's callbacks is called again. `process`: peers that can be reached are
   * informed by a reset. `power`: no peer is informed; the machine is silent until `boot`, and then resets what it does not know.
   */
  crash(node: string, what: 'process' | 'power' = 'process'): void {
    const host = this.#host(node)
    host.crash(what === 'process')
    host.isDown = what === 'power'
    this.#passageChanged()
  }

  boot(node: string): void {
    this.#host(node).isDown = false
    this.#passageChanged()
  }

  /** Ends all partitions, holds, freezes, slowness and faults of datagrams; machines without power stay so. */
  heal(): void {
    this.#partitions.clear()
    this.#holds.clear()
    for (const host of this.#hosts.values()) host.isolations = 0
    this.setLatency(this.#initial.latency)
    this.setBandwidth(this.#initial.bytesPerSecond)
    this.setDatagramFaults(this.#initial.datagramFaults)
    this.#passageChanged()
    for (const host of this.#hosts.values()) if (host.isFrozen) this.thaw(host.name)
  }

  /** What `node`, or everyone, still has open. */
  counters(node?: string): NetworkCounters {
    const hosts = node === undefined ? [...this.#hosts.values()] : [this.#host(node)]
    const sum = (count: (host: SimulatedHost) => number): number => hosts.reduce((total, host) => total + count(host), 0)
    let pendingEvents = 0
    for (const connection of this.#connections)
      if (connection.hosts.some((host) => hosts.some((other) => other === host))) pendingEvents += connection.pendingEvents
    for (const [dial, host] of this.#dials) if (hosts.includes(host)) pendingEvents += dial.pendingEvents
    pendingEvents += sum((host) => host.pendingEvents)
    return {
      connections: sum((host) => host.streams.size),
      listeners: sum((host) => host.listeners.size),
      dials: sum((host) => host.dials.size),
      datagramSockets: sum((host) => host.datagramSockets.size),
      pendingEvents,
    }
  }

  #host(name: string): SimulatedHost {
    const known = this.#hosts.get(name)
    if (known) return known
    const number = this.#hosts.size + 1
    const host = new SimulatedHost(name, `10.0.${number >> 8}.${number & 0xff}`)
    this.#hosts.set(name, host)
    return host
  }

  #resolve(from: SimulatedHost, name: string): SimulatedHost | undefined {
    if (name === 'localhost' || name === '127.0.0.1' || name === '::1') return from
    const named = this.#hosts.get(name)
    if (named) return named
    for (const host of this.#hosts.values()) if (host.address === name) return host
    return undefined
  }

  #passage(a: SimulatedHost, b: SimulatedHost): Passage {
    if (a.isDown || b.isDown) return 'cut'
    if (a === b) return 'open'
    if (a.isolations > 0 || b.isolations > 0 || this.#partitions.has(a.name, b.name)) return 'cut'
    return this.#holds.has(a.name, b.name) ? 'held' : 'open'
  }

  #passageChanged(): void {
    for (const connection of [...this.#connections]) connection.passageChanged()
    for (const dial of [...this.#dials.keys()]) dial.passageChanged()
    for (const host of this.#hosts.values()) for (const socket of host.datagramSockets.values()) socket.passageChanged()
  }

  #traceTaken(from: { readonly name: string }, to: { readonly name: string }, what: string): void {
    this.#trace?.add(this.#conditions.clock.monotonicMs(), `${to.name}/network`, `${what} from ${from.name}`)
  }

  #deliverTo(host: SimulatedHost): void {
    for (const connection of [...this.#connections]) if (connection.hosts.includes(host)) host.later(() => connection.deliver())
  }

  async #dial(from: SimulatedHost, endpoint: Endpoint, signal: AbortSignal): Promise<ByteStream> {
    if (signal.aborted) throw new ClusterError('aborted')
    const to = this.#resolve(from, endpoint.host)
    if (!to)
      throw new ClusterError('dialFailed', {
        message: `The name ${endpoint.host} is not known: ENOTFOUND`,
        context: { errno: 'ENOTFOUND' },
      })
    const random = this.#random.fork(`${from.name}>${to.name} ${++this.#connectionCount}`)
    const { clock, connectMsMax } = this.#conditions
    const world = {
      clock,
      connectMsMax,
      isReachable: () => this.#passage(from, to) === 'open',
      latencyMs: () => drawLatencyMs(this.#conditions.latency, random.fraction()),
      accept: () => this.#accept(from, to, endpoint.port, random),
      over: () => {
        this.#dials.delete(dial)
      },
    }
    const dial: SimulatedDial = new SimulatedDial(world, from, endpoint, signal)
    this.#dials.set(dial, from)
    return dial.start()
  }

  #accept(from: SimulatedHost, to: SimulatedHost, port: number, random: SeededRandom): SimulatedConnection | undefined {
    const onConnection = to.listeners.get(port)
    if (!onConnection) return undefined
    const connection = new SimulatedConnection({
      hosts: [from, to],
      conditions: this.#conditions,
      random,
      passage: () => this.#passage(from, to),
      onGone: (gone) => this.#connections.delete(gone),
      onTaken: (sender, receiver, byteCount) => this.#traceTaken(sender, receiver, `${byteCount} bytes`),
    })
    this.#connections.add(connection)
    to.later(() => onConnection(connection.acceptor))
    return connection
  }
}

const isBetween = ({ hosts: [dialer, acceptor] }: SimulatedConnection, a: string, b: string): boolean =>
  (dialer.name === a && acceptor.name === b) || (dialer.name === b && acceptor.name === a)
