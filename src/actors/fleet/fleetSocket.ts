/** The socket of an agent, TCP or UDP: whole messages in and out, and which events of the account went out over it. */
import { ClusterError } from '../../base/errors.js'
import type { AgentServer } from '../../domain/fleet/agentServer.js'
import type { ConnectionEnd } from '../../domain/fleet/eventAccount.js'
import type { AgentNetwork, ByteStream, DatagramSocket } from '../../ports/network.js'
import { AgentFrameReader } from '../../wire/agents/agentFrames.js'

export interface FleetSocketEvents {
  /** Valid during the call. */
  onMessage(message: Buffer): void
  onDrain(): void
  /** Once, and last. */
  onClosed(end: ConnectionEnd): void
}

export interface FleetSocket {
  readonly isFramed: boolean
  /** No message comes from it any more, but its end. */
  isLeft: boolean
  /** False: wait for `onDrain` before sending more. */
  send(messages: readonly Buffer[]): boolean
  /** The manager asked for it, or the agent ends: what was sent is to arrive. */
  leave(): void
  /** Nobody answers there. */
  giveUp(): void
  /** At once. */
  destroy(): void
}

class StreamSocket implements FleetSocket {
  readonly isFramed = true
  isLeft = false
  readonly #stream: ByteStream
  readonly #reader = new AgentFrameReader()
  #isAgreed = false

  constructor(stream: ByteStream, events: FleetSocketEvents) {
    this.#stream = stream
    stream.attach({
      onBytes: (bytes) => this.#read(bytes, events),
      onDrain: () => events.onDrain(),
      onClosed: (error) => events.onClosed(this.#isAgreed && error === undefined ? 'agreed' : 'broken'),
    })
  }

  send(messages: readonly Buffer[]): boolean {
    return this.#stream.write(messages)
  }

  leave(): void {
    this.#isAgreed = !this.isLeft
    this.giveUp()
  }

  giveUp(): void {
    this.isLeft = true
    this.#stream.end()
  }

  destroy(): void {
    this.isLeft = true
    this.#isAgreed = false
    this.#stream.destroy()
  }

  #read(bytes: Uint8Array, events: FleetSocketEvents): void {
    if (this.isLeft) return
    this.#reader.append(bytes)
    while (!this.isLeft) {
      const next = this.#reader.next()
      if (next.ok && next.value === undefined) return
      if (next.ok && next.value) events.onMessage(next.value)
      else this.destroy()
    }
  }
}

class DatagramsSocket implements FleetSocket {
  readonly isFramed = false
  isLeft = false
  readonly #server: AgentServer
  readonly #events: FleetSocketEvents
  #socket: DatagramSocket | undefined

  constructor(server: AgentServer, events: FleetSocketEvents) {
    this.#server = server
    this.#events = events
  }

  async open(network: AgentNetwork): Promise<void> {
    const host = this.#server.host.includes(':') ? '::' : '0.0.0.0'
    const socket = await network.openDatagrams({ host, port: 0 }, (bytes) => {
      if (!this.isLeft) this.#events.onMessage(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
    })
    if (this.isLeft) void socket.close()
    else this.#socket = socket
  }

  send(messages: readonly Buffer[]): boolean {
    const to = { address: this.#server.host, port: this.#server.port }
    for (const message of messages) this.#socket?.send(message, to)
    return true
  }

  leave(): void {
    this.destroy()
  }

  giveUp(): void {
    this.destroy()
  }

  destroy(): void {
    if (this.isLeft) return
    this.isLeft = true
    void this.#socket?.close()
    this.#events.onClosed('datagrams')
  }
}

/** Fails as `dial` of the network does. */
export const openFleetSocket = async (
  network: AgentNetwork,
  server: AgentServer,
  events: FleetSocketEvents,
  signal: AbortSignal,
): Promise<FleetSocket> => {
  if (server.protocol === 'tcp') {
    const stream = await network.dial({ host: server.host, port: server.port }, signal)
    return new StreamSocket(stream, events)
  }
  const socket = new DatagramsSocket(server, events)
  await socket.open(network)
  if (!signal.aborted) return socket
  socket.destroy()
  throw new ClusterError('aborted')
}
