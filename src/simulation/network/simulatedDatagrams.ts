/**
 * Datagrams of the simulated network: each travels on its own, so that a later one may come first; some are lost, come twice, or late.
 * A partition loses them, a hold keeps them; what a frozen process does not take fills its buffer, and then is lost.
 */
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import type { DatagramSocket, DatagramSource, Endpoint } from '../../ports/network.js'
import type { SeededRandom } from '../world/seededRandom.js'
import { type Conditions, drawLatencyMs, type Passage } from './networkConditions.js'
import type { SimulatedHost } from './simulatedHost.js'

export interface DatagramWorld {
  readonly conditions: Conditions
  resolve(from: SimulatedHost, address: string): SimulatedHost | undefined
  passage(from: SimulatedHost, to: SimulatedHost): Passage
  onTaken(from: SimulatedHost, to: SimulatedHost, byteCount: number): void
}

/** What a late one takes longer than the others. */
const lateMsMax = 50
/** Of a process that does not take them, as Linux has it by default. */
const bufferBytes = 208 * 1_024

interface Travelling {
  readonly bytes: Uint8Array
  readonly from: SimulatedHost
  readonly source: DatagramSource
  timer: unknown
}

export class SimulatedDatagramSocket implements DatagramSocket {
  readonly address: string
  readonly port: number
  readonly #host: SimulatedHost
  readonly #world: DatagramWorld
  readonly #random: SeededRandom
  readonly #onDatagram: (bytes: Uint8Array, from: DatagramSource) => void
  readonly #travelling = new Set<Travelling>()
  readonly #held = new Set<Travelling>()
  #bufferedBytes = 0
  #isOpen = true

  constructor(
    host: SimulatedHost,
    port: number,
    world: DatagramWorld,
    random: SeededRandom,
    onDatagram: (bytes: Uint8Array, from: DatagramSource) => void,
  ) {
    this.address = host.address
    this.port = port
    this.#host = host
    this.#world = world
    this.#random = random
    this.#onDatagram = onDatagram
    host.datagramSockets.set(port, this)
  }

  /** Timers of what is on its way to here. */
  get pendingEvents(): number {
    return this.#travelling.size
  }

  send(bytes: Uint8Array, to: DatagramSource): void {
    if (!this.#isOpen || this.#host.isFrozen || bytes.length > limits.datagramBytesMax) return
    const target = this.#world.resolve(this.#host, to.address)
    const socket = target?.datagramSockets.get(to.port)
    if (!target || !socket) return
    const { datagramFaults } = this.#world.conditions
    // Always as many draws, so that a fault that is switched off does not shift those that follow.
    const [loss, double, late] = [this.#random.fraction(), this.#random.fraction(), this.#random.fraction()]
    if (loss < datagramFaults.lostShare) return
    for (let copies = double < datagramFaults.doubledShare ? 2 : 1; copies > 0; copies--)
      socket.#expect(new Uint8Array(bytes), this.#host, this.port, this.#latencyMs(late < datagramFaults.lateShare))
  }

  async close(): Promise<void> {
    this.crash()
  }

  crash(): void {
    this.#isOpen = false
    if (this.#host.datagramSockets.get(this.port) === this) this.#host.datagramSockets.delete(this.port)
    for (const { timer } of this.#travelling) this.#world.conditions.clock.clearTimeout(timer)
    this.#travelling.clear()
    this.#held.clear()
  }

  passageChanged(): void {
    for (const datagram of [...this.#held]) {
      const passage = this.#world.passage(datagram.from, this.#host)
      if (passage === 'held') continue
      this.#held.delete(datagram)
      if (passage === 'open') this.#travel(datagram, this.#latencyMs(false))
    }
  }

  #latencyMs(isLate: boolean): number {
    const { latency } = this.#world.conditions
    const usual = drawLatencyMs(latency, this.#random.fraction())
    return isLate ? usual + drawLatencyMs({ minMs: 0, maxMs: lateMsMax }, this.#random.fraction()) : usual
  }

  #expect(bytes: Uint8Array, from: SimulatedHost, port: number, latencyMs: number): void {
    this.#travel({ bytes, from, source: { address: from.address, port }, timer: undefined }, latencyMs)
  }

  #travel(datagram: Travelling, latencyMs: number): void {
    this.#travelling.add(datagram)
    datagram.timer = this.#world.conditions.clock.setTimeout(() => this.#arrive(datagram), latencyMs)
  }

  #arrive(datagram: Travelling): void {
    this.#travelling.delete(datagram)
    const { bytes, from, source } = datagram
    const passage = this.#world.passage(from, this.#host)
    if (passage === 'held') this.#held.add(datagram)
    if (passage !== 'open' || this.#bufferedBytes + bytes.length > bufferBytes) return
    this.#bufferedBytes += bytes.length
    this.#host.later(() => {
      this.#bufferedBytes -= bytes.length
      if (!this.#isOpen) return
      this.#world.onTaken(from, this.#host, bytes.length)
      this.#onDatagram(bytes, source)
    })
  }
}

export const openSimulatedDatagrams = async (
  host: SimulatedHost,
  endpoint: Endpoint,
  world: DatagramWorld,
  random: SeededRandom,
  onDatagram: (bytes: Uint8Array, from: DatagramSource) => void,
): Promise<DatagramSocket> => {
  const port = endpoint.port === 0 ? host.freePort() : endpoint.port
  if (host.datagramSockets.has(port))
    throw new ClusterError('listenFailed', {
      message: `Cannot open datagrams on port ${port}: EADDRINUSE`,
      context: { errno: 'EADDRINUSE' },
    })
  return new SimulatedDatagramSocket(host, port, world, random, onDatagram)
}
