/** A connection from a balancer: its first bytes say, in a header of the PROXY protocol, whom it forwards. */
import { limits } from '../../base/limits.js'
import type { Clock } from '../../ports/machine.js'
import type { ByteStream, ByteStreamEvents } from '../../ports/network.js'
import { readProxyHeader } from '../../wire/proxy/proxyHeader.js'

export interface ProxyArrivalOptions {
  readonly clock: Clock
  /** The stream as if there were no balancer; to be attached in the same turn. */
  onStream(stream: ByteStream): void
  onRefused(address: string, reason: string): void
  onOver(arrival: ProxyArrival): void
}

export class ProxyArrival implements ByteStreamEvents {
  readonly #options: ProxyArrivalOptions
  readonly #stream: ByteStream
  readonly #timer: unknown
  #head: Buffer = Buffer.alloc(0)
  #events: ByteStreamEvents | undefined

  constructor(options: ProxyArrivalOptions, stream: ByteStream) {
    this.#options = options
    this.#stream = stream
    this.#timer = options.clock.setTimeout(
      () => this.#refuse('no header of the PROXY protocol came in time'),
      limits.agentFirstMessageMsMax,
    )
    stream.attach(this)
  }

  destroy(): void {
    this.#settle()
    this.#stream.destroy()
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#events) {
      this.#events.onBytes(bytes)
      return
    }
    this.#head = Buffer.concat([this.#head, bytes])
    const header = readProxyHeader(this.#head)
    if (header.kind === 'incomplete') return
    if (header.kind === 'invalid') {
      this.#refuse(header.reason)
      return
    }
    this.#settle()
    const rest = this.#head.subarray(header.byteCount)
    this.#head = Buffer.alloc(0)
    this.#options.onStream(this.#forwarded(header.source?.address ?? this.#stream.remoteAddress))
    this.#handOn(rest)
  }

  #handOn(rest: Uint8Array): void {
    if (rest.length > 0) this.#events?.onBytes(rest)
  }

  onDrain(): void {
    this.#events?.onDrain()
  }

  onClosed(error?: Error): void {
    this.#settle()
    this.#events?.onClosed(error)
  }

  #forwarded(remoteAddress: string): ByteStream {
    const stream = this.#stream
    return {
      remoteAddress,
      write: (parts) => stream.write(parts),
      pause: () => stream.pause(),
      resume: () => stream.resume(),
      end: () => stream.end(),
      destroy: () => stream.destroy(),
      attach: (events) => {
        this.#events = events
      },
    }
  }

  #refuse(reason: string): void {
    this.#settle()
    this.#options.onRefused(this.#stream.remoteAddress, reason)
    this.#stream.destroy()
  }

  #settle(): void {
    this.#options.clock.clearTimeout(this.#timer)
    this.#options.onOver(this)
  }
}
