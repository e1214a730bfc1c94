/** The network of agents in memory, without handshakes: what is above TLS is under test. */
import type { AgentNetwork, Endpoint, Listener, TlsServerOptions, TlsStream } from '../../../src/ports/network.js'
import { MemoryNetwork, type MemoryStream } from '../memoryNetwork.js'

export interface MemoryTlsClient {
  readonly stream: MemoryStream
  /** What came, one element a read. */
  readonly reads: readonly string[]
  readonly answer: string
  /** The other side ended first. */
  readonly isClosed: boolean
  send(text: string): void
}

export class MemoryTls implements Pick<AgentNetwork, 'listenTls'> {
  readonly #memory = new MemoryNetwork()
  /** Of the certificates that clients show. */
  peerNames: readonly string[] = []
  /** What the listener asked for. */
  asked: TlsServerOptions | undefined

  listenTls(endpoint: Endpoint, tls: TlsServerOptions, onConnection: (stream: TlsStream) => void): Promise<Listener> {
    this.asked = tls
    return this.#memory.listen(endpoint, (stream) => onConnection(Object.assign(stream, { peerNames: this.peerNames })))
  }

  async dial(port: number, address = '127.0.0.1'): Promise<MemoryTlsClient> {
    const dialled = this.#memory.dial({ host: 'memory', port }, undefined, address)
    const pair = this.#memory.streams.at(-1)
    await dialled
    if (!pair) throw new Error('no stream')
    const [stream] = pair
    const reads: string[] = []
    let isClosed = false
    stream.attach({
      onBytes: (bytes) => reads.push(Buffer.from(bytes).toString('latin1')),
      onDrain: () => {},
      onClosed: () => {
        isClosed = true
      },
    })
    return {
      stream,
      reads,
      get answer() {
        return reads.join('')
      },
      get isClosed() {
        return isClosed
      },
      send: (text) => void stream.write([Buffer.from(text, 'latin1')]),
    }
  }
}
