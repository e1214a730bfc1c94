/** A network in memory whose reads are split and joined as a test wants, and whose bytes a test may see and change. */
import { ClusterError } from '../../src/base/errors.js'
import type { ByteStream, ByteStreamEvents, Endpoint, Listener, Network } from '../../src/ports/network.js'

export type Direction = 'toListener' | 'toDialer'

export interface MemoryNetworkOptions {
  /** Sizes of the reads, in turn; a read never has more. */
  readonly readSizes?: readonly number[]
  /** Maps what was written to what arrives, in pieces. */
  readonly tap?: (direction: Direction, bytes: Buffer) => readonly Uint8Array[]
  /** Bytes that wait before `write` says false. */
  readonly highWaterBytes?: number
  /** When an end that is closed is to learn it; a promise later where left out. */
  readonly closedLater?: (closed: () => void) => void
}

export class MemoryStream implements ByteStream {
  remoteAddress = 'memory'
  peer: MemoryStream | undefined
  readonly #direction: Direction
  readonly #options: MemoryNetworkOptions
  #events: ByteStreamEvents | undefined
  #arrived: Uint8Array[] = []
  #arrivedBytes = 0
  #ended = false
  #peerEnded = false
  #closed = false
  #paused = false
  #scheduled = false
  #turn = 0
  writtenBytes = 0
  waitingBytesMax = 0

  /** `direction` is that of the bytes that it writes. */
  constructor(direction: Direction, options: MemoryNetworkOptions) {
    this.#direction = direction
    this.#options = options
  }

  get isClosed(): boolean {
    return this.#closed
  }

  attach(events: ByteStreamEvents): void {
    this.#events = events
    this.#schedule()
  }

  write(parts: readonly Uint8Array[]): boolean {
    if (this.#closed || this.#ended) return true
    const bytes = Buffer.concat(parts)
    this.writtenBytes += bytes.byteLength
    for (const part of this.#options.tap?.(this.#direction, bytes) ?? [bytes]) this.peer?.arrive(part)
    const waiting = this.peer?.waitingBytes ?? 0
    this.waitingBytesMax = Math.max(this.waitingBytesMax, waiting)
    return waiting < (this.#options.highWaterBytes ?? 65_536)
  }

  get waitingBytes(): number {
    return this.#arrivedBytes
  }

  arrive(bytes: Uint8Array): void {
    if (this.#closed) return
    this.#arrived.push(bytes)
    this.#arrivedBytes += bytes.byteLength
    this.#schedule()
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#schedule()
  }

  end(): void {
    if (this.#ended || this.#closed) return
    this.#ended = true
    this.peer?.endArrives()
    this.#closeWhenBothEnded()
  }

  destroy(): void {
    if (this.#closed) return
    this.close()
    this.peer?.endArrives()
  }

  endArrives(): void {
    this.#peerEnded = true
    this.#schedule()
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#arrived = []
    this.#arrivedBytes = 0
    const later = this.#options.closedLater ?? queueMicrotask
    later(() => this.#events?.onClosed())
  }

  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    // Microtasks run until none is left: everything under way arrives without time passing.
    queueMicrotask(() => {
      this.#scheduled = false
      this.#deliver()
    })
  }

  #deliver(): void {
    if (!this.#events || this.#paused || this.#closed) return
    if (this.#arrivedBytes > 0) {
      this.#events.onBytes(this.#read())
      if (this.#arrivedBytes === 0) this.peer?.drained()
      this.#schedule()
      return
    }
    if (!this.#peerEnded) return
    this.#events.onEnd?.()
    this.end()
    this.#closeWhenBothEnded()
  }

  drained(): void {
    queueMicrotask(() => {
      if (!this.#closed) this.#events?.onDrain()
    })
  }

  #read(): Uint8Array {
    const sizes = this.#options.readSizes ?? [65_536]
    const size = sizes[this.#turn++ % sizes.length] ?? 1
    const all = Buffer.concat(this.#arrived)
    const read = Buffer.from(all.subarray(0, size))
    this.#arrived = all.byteLength > size ? [all.subarray(size)] : []
    this.#arrivedBytes = all.byteLength - read.byteLength
    return read
  }

  #closeWhenBothEnded(): void {
    if (this.#ended && this.#peerEnded && this.#arrivedBytes === 0) this.close()
  }
}

export class MemoryNetwork implements Network {
  readonly #options: MemoryNetworkOptions
  readonly #listeners = new Map<number, (stream: ByteStream) => void>()
  /** Every stream that was ever opened: the dialer's, then the listener's. */
  readonly streams: (readonly [dialer: MemoryStream, listener: MemoryStream])[] = []

  constructor(options: MemoryNetworkOptions = {}) {
    this.#options = options
  }

  dial({ port }: Endpoint, _signal?: AbortSignal, address = 'memory'): Promise<ByteStream> {
    const onConnection = this.#listeners.get(port)
    if (!onConnection) return Promise.reject(new ClusterError('dialFailed'))
    const dialer = new MemoryStream('toListener', this.#options)
    const listener = new MemoryStream('toDialer', this.#options)
    dialer.peer = listener
    listener.peer = dialer
    listener.remoteAddress = address
    this.streams.push([dialer, listener])
    onConnection(listener)
    return Promise.resolve(dialer)
  }

  listen({ port }: Endpoint, onConnection: (stream: ByteStream) => void): Promise<Listener> {
    this.#listeners.set(port, onConnection)
    return Promise.resolve({
      address: 'memory',
      port,
      close: () => {
        this.#listeners.delete(port)
        return Promise.resolve()
      },
    })
  }
}
