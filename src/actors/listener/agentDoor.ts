/** The sockets of the listener: connections that are let in, within a bound that half-open ones cannot fill, and datagrams. */
import type { Deadlines } from '../../base/deadlines.js'
import type { ClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { type ListeningPlace, placesOf } from '../../domain/listener/listeningPlace.js'
import type { ListenerOptions } from '../../ports/listener.js'
import type { Clock } from '../../ports/machine.js'
import type { AgentNetwork, ByteStream, DatagramSocket, DatagramSource, Endpoint, Listener } from '../../ports/network.js'
import { ProxyDoor } from '../kit/proxyDoor.js'
import type { ListenerLog } from './listenerLog.js'
import { AgentConnection, type ConnectionHost } from './sessions/agentConnection.js'
import { type AgentEndpoint, DatagramEndpoint } from './sessions/agentEndpoint.js'

export interface AgentDoorOptions {
  readonly options: ListenerOptions
  readonly network: AgentNetwork
  readonly clock: Clock
  readonly deadlines: Deadlines
  readonly log: ListenerLog
  onMessage(message: Buffer, from: AgentEndpoint): boolean
  /** All of a read, or a datagram, was handed over. */
  onReadDone(from: 'tcp' | 'udp'): void
  onRoom(connection: AgentConnection): void
  onClosed(connection: AgentConnection): void
}

export class AgentDoor implements ConnectionHost {
  readonly connections = new Set<AgentConnection>()
  readonly clock: Clock
  readonly deadlines: Deadlines
  unprovenBytes = 0
  readonly #door: AgentDoorOptions
  readonly #proxies: ProxyDoor
  /** Of no agent yet, the oldest first. */
  readonly #unproven = new Set<AgentConnection>()
  #listeners: Listener[] = []
  readonly #sockets = new Set<DatagramSocket>()
  readonly #places: ListeningPlace[] = []
  #isShut = false
  #isPaused = false
  #refused = 0

  constructor(door: AgentDoorOptions) {
    this.#door = door
    this.clock = door.clock
    this.deadlines = door.deadlines
    this.#proxies = new ProxyDoor({
      proxies: door.options.proxies,
      deadlines: door.deadlines,
      onStream: (stream) => this.#enter(stream),
      onRefused: ({ message }, address) => this.#refuse(address, `A connection of the proxy ${address} was closed: ${fullStop(message)}`),
    })
  }

  get refused(): number {
    return this.#refused
  }

  /** Those that are open, with their ports. */
  get places(): readonly ListeningPlace[] {
    return this.#places
  }

  /** Returns the port of the first place. Fails with `listenFailed`. */
  async open(): Promise<number> {
    for (const place of placesOf(this.#door.options)) this.#places.push({ ...place, port: await this.#openPlace(place) })
    return this.#places[0]?.port ?? 0
  }

  async #openPlace({ ipv6, localIp, port, transports }: ListeningPlace): Promise<number> {
    const endpoint: Endpoint = { host: localIp || (ipv6 ? '::' : '0.0.0.0'), port }
    const listener = transports.includes('tcp')
      ? await this.#door.network.listen(
          endpoint,
          (stream) => this.#arrived(stream),
          (error) => this.#door.log.failure('accept', 'A connection of an agent was not accepted', error),
        )
      : undefined
    if (listener) this.#listeners.push(listener)
    if (!transports.includes('udp')) return listener?.port ?? port
    const datagrams = await this.#openDatagrams({ ...endpoint, port: listener?.port ?? port })
    return listener?.port ?? datagrams.port
  }

  /** No new connections. */
  async shut(): Promise<void> {
    this.#isShut = true
    const listeners = this.#listeners
    this.#listeners = []
    this.#proxies.stop()
    await Promise.all(listeners.map((listener) => listener.close()))
  }

  async close(): Promise<void> {
    await this.shut()
    for (const connection of [...this.connections]) connection.destroy()
    const sockets = [...this.#sockets]
    this.#sockets.clear()
    await Promise.all(sockets.map((socket) => socket.close()))
  }

  setPaused(isPaused: boolean): void {
    this.#isPaused = isPaused
    for (const connection of this.connections)
      if (isPaused) connection.pause()
      else connection.resume()
  }

  onMessage(message: Buffer, connection: AgentConnection): boolean {
    return this.#door.onMessage(message, connection)
  }

  onBadFrame(error: ClusterError, { address }: AgentConnection): void {
    this.#refused += 1
    const sentence = error.code === 'tooLarge' ? `Too big message size from socket [${address}].` : 'Received message is empty'
    this.#door.log.ofPeer(address, 'frame', sentence)
  }

  onGivenUp(reason: string, { address }: AgentConnection): void {
    this.#refused += 1
    this.#door.log.ofPeer(address, 'givenUp', `The connection of an agent from ${address} was closed: ${reason}.`)
  }

  onReadDone(connection: AgentConnection): void {
    if (connection.isProven) this.#unproven.delete(connection)
    this.#door.onReadDone('tcp')
  }

  onRoom(connection: AgentConnection): void {
    this.#door.onRoom(connection)
  }

  onClosed(connection: AgentConnection): void {
    this.connections.delete(connection)
    this.#unproven.delete(connection)
    this.#door.onClosed(connection)
  }

  #arrived(stream: ByteStream): void {
    if (this.#isShut || !this.#makeRoom(stream.remoteAddress)) {
      stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
      stream.destroy()
      return
    }
    this.#proxies.accept(stream)
  }

  #enter(stream: ByteStream): void {
    const connection = new AgentConnection(this, stream)
    this.connections.add(connection)
    this.#unproven.add(connection)
    if (this.#isPaused) connection.pause()
  }

  /** Agents start at once: what waits longest without doing so makes room. */
  #makeRoom(address: string): boolean {
    if (this.connections.size < this.#door.options.connectionsMax) return true
    const [oldest] = this.#unproven
    const closed = oldest?.address ?? address
    this.#refuse(closed, `The connection of an agent from ${closed} was closed: there are too many connections.`)
    if (!oldest) return false
    oldest.destroy()
    this.onClosed(oldest)
    return true
  }

  #refuse(address: string, sentence: string): void {
    this.#refused += 1
    this.#door.log.ofPeer(address, 'door', sentence)
  }

  async #openDatagrams(endpoint: Endpoint): Promise<DatagramSocket> {
    let socket: DatagramSocket | undefined
    const opened = await this.#door.network.openDatagrams(endpoint, (bytes, from) => {
      if (socket) this.#datagram(socket, bytes, from)
    })
    socket = opened
    this.#sockets.add(opened)
    return opened
  }

  #datagram(socket: DatagramSocket, bytes: Uint8Array, from: DatagramSource): void {
    if (!this.#sockets.has(socket) || bytes.byteLength === 0) return
    this.#door.onMessage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), new DatagramEndpoint(socket, from))
    this.#door.onReadDone('udp')
  }
}
