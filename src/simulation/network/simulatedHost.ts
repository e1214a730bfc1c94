/** One machine of the simulated network: its name, its sockets, and whether its process runs. */
import { ClusterError } from '../../base/errors.js'
import type { ByteStream, Endpoint, Listener } from '../../ports/network.js'
import type { SimulatedDatagramSocket } from './simulatedDatagrams.js'
import type { SimulatedStream, StreamHost } from './simulatedStream.js'

const ephemeralPortMin = 49_152

export class SimulatedHost implements StreamHost {
  readonly name: string
  readonly address: string
  readonly streams = new Set<SimulatedStream>()
  readonly listeners = new Map<number, (stream: ByteStream) => void>()
  /** Dials that are not decided yet; calling one withdraws it silently. */
  readonly dials = new Set<() => void>()
  /** TLS handshakes that are under way. */
  readonly handshakes = new Set<{ abandon(): void }>()
  readonly datagramSockets = new Map<number, SimulatedDatagramSocket>()
  /** Without power nothing is sent, received or answered. */
  isDown = false
  /** Cut off from everyone, as many times as this. */
  isolations = 0
  #isFrozen = false
  #waiting: (() => void)[] = []
  #incarnation = 0
  #nextPort = ephemeralPortMin

  constructor(name: string, address: string) {
    this.name = name
    this.address = address
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  /** Timers of handshakes, and of datagrams that are on their way to here. */
  get pendingEvents(): number {
    let pending = this.handshakes.size
    for (const socket of this.datagramSockets.values()) pending += socket.pendingEvents
    return pending
  }

  async listen(endpoint: Endpoint, onConnection: (stream: ByteStream) => void): Promise<Listener> {
    const port = endpoint.port === 0 ? this.freePort() : endpoint.port
    if (this.listeners.has(port))
      throw new ClusterError('listenFailed', {
        message: `Cannot listen on port ${port}: EADDRINUSE`,
        context: { errno: 'EADDRINUSE' },
      })
    this.listeners.set(port, onConnection)
    return {
      address: this.address,
      port,
      close: async () => {
        if (this.listeners.get(port) === onConnection) this.listeners.delete(port)
      },
    }
  }

  freePort(): number {
    while (this.listeners.has(this.#nextPort) || this.datagramSockets.has(this.#nextPort)) this.#nextPort++
    return this.#nextPort++
  }

  later(callback: () => void): void {
    if (this.#isFrozen) {
      this.#waiting.push(callback)
      return
    }
    const incarnation = this.#incarnation
    queueMicrotask(() => {
      if (incarnation !== this.#incarnation) return
      if (this.#isFrozen) this.#waiting.push(callback)
      else callback()
    })
  }

  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    this.#isFrozen = false
    const waiting = this.#waiting
    this.#waiting = []
    for (const callback of waiting) this.later(callback)
  }

  /** The process is gone: what it wanted to do is not done. */
  crash(tellPeers: boolean): void {
    this.#incarnation++
    this.#isFrozen = false
    this.#waiting = []
    this.listeners.clear()
    for (const takeBack of [...this.dials]) takeBack()
    for (const socket of [...this.datagramSockets.values()]) socket.crash()
    for (const stream of [...this.streams]) stream.crash(tellPeers)
    for (const handshake of [...this.handshakes]) handshake.abandon()
  }
}
