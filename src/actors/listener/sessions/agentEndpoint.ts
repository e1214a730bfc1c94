/** Where an agent is: a connection, or the address that its datagrams come from. */
import type { AgentTransport } from '../../../ports/listener.js'
import type { DatagramSocket, DatagramSource } from '../../../ports/network.js'

export interface AgentEndpoint {
  readonly transport: AgentTransport
  /** Of the agent, behind a balancer too. */
  readonly address: string
  /** Nobody can be reached through it any more. */
  readonly isClosed: boolean
  /** Whether more can be sent without waiting; unknown for datagrams. */
  readonly hasRoom: boolean
  /** Whole, as the codec made it. */
  send(message: Uint8Array): void
  /** What was sent still goes out; what is under way to us is still read. */
  close(): void
}

export class DatagramEndpoint implements AgentEndpoint {
  readonly transport = 'udp'
  readonly source: DatagramSource
  readonly hasRoom = true
  readonly #socket: DatagramSocket
  #isClosed = false

  constructor(socket: DatagramSocket, source: DatagramSource) {
    this.#socket = socket
    this.source = source
  }

  get address(): string {
    return this.source.address
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  send(message: Uint8Array): void {
    if (!this.#isClosed) this.#socket.send(message, this.source)
  }

  close(): void {
    this.#isClosed = true
  }

  isAt({ address, port }: DatagramSource): boolean {
    return this.source.port === port && this.source.address === address
  }
}
