/**
 * Where connections come in, of which some are forwarded by proxies: those begin with a header that says whose they are, and are
 * handed on with that address once it has come. All others are handed on at once.
 */
import type { Deadline, Deadlines, Due } from '../../base/deadlines.js'
import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { addressesIn } from '../../domain/agents/addressInNetwork.js'
import type { ByteStream, ByteStreamEvents } from '../../ports/network.js'
import { readProxyHeader } from '../../wire/proxy/proxyHeader.js'

export interface ProxyDoorOptions {
  /** Addresses or networks. A header from anybody else is garbage to what comes behind the door. */
  readonly proxies: readonly string[]
  readonly deadlines: Deadlines
  /** Must attach to the stream in the same turn. */
  onStream(stream: ByteStream): void
  /** `remoteAddress` is the proxy's. */
  onRefused(error: ClusterError, remoteAddress: string): void
}

export class ProxyDoor {
  readonly #options: ProxyDoorOptions
  readonly #isProxy: (address: string) => boolean
  readonly #waiting = new Set<ForwardedStream>()

  constructor(options: ProxyDoorOptions) {
    this.#options = options
    this.#isProxy = addressesIn(options.proxies)
  }

  /** Called in the turn in which the stream was handed out. */
  accept(stream: ByteStream): void {
    if (!this.#isProxy(stream.remoteAddress)) {
      this.#options.onStream(stream)
      return
    }
    if (this.#waiting.size >= limits.proxyHeadersMax) {
      stream.destroy()
      this.#options.onRefused(new ClusterError('overloaded', { message: tooMany }), stream.remoteAddress)
      return
    }
    this.#waiting.add(
      new ForwardedStream(stream, this.#options.deadlines, {
        ready: (forwarded) => {
          this.#waiting.delete(forwarded)
          this.#options.onStream(forwarded)
        },
        over: (forwarded, error) => {
          this.#waiting.delete(forwarded)
          if (error) this.#options.onRefused(error, forwarded.remoteAddress)
        },
      }),
    )
  }

  /** Those that wait for a header are gone; those that came through stay. */
  stop(): void {
    for (const forwarded of [...this.#waiting]) forwarded.destroy()
    this.#waiting.clear()
  }
}

const tooMany = `It was refused: ${limits.proxyHeadersMax} connections of proxies wait for their header`

interface HeaderEnd {
  ready(stream: ForwardedStream): void
  /** Without an error when nothing came at all: balancers see so whether somebody listens. */
  over(stream: ForwardedStream, error?: ClusterError): void
}

const nothing = new Uint8Array(0)

/** A stream that begins behind a header. */
class ForwardedStream implements ByteStream, Due {
  remoteAddress: string
  readonly #stream: ByteStream
  readonly #deadlines: Deadlines
  #awaiting: { readonly end: HeaderEnd; readonly deadline: Deadline } | undefined
  /** Until the header is whole: what has come of it. Then what came with it and has not been taken yet. */
  #kept: Uint8Array = nothing
  #events: ByteStreamEvents | undefined
  #isPaused = false
  #isGone = false

  constructor(stream: ByteStream, deadlines: Deadlines, end: HeaderEnd) {
    this.#stream = stream
    this.#deadlines = deadlines
    this.remoteAddress = stream.remoteAddress
    this.#awaiting = { end, deadline: deadlines.add(limits.proxyHeaderMsMax, this) }
    stream.attach({
      onBytes: (bytes) => this.#take(bytes),
      onDrain: () => this.#events?.onDrain(),
      onClosed: (error) => this.#closed(error),
    })
  }

  write(parts: readonly Uint8Array[]): boolean {
    return this.#stream.write(parts)
  }

  pause(): void {
    this.#isPaused = true
    this.#stream.pause()
  }

  resume(): void {
    this.#isPaused = false
    if (this.#kept.length > 0) queueMicrotask(() => this.#deliver())
    this.#stream.resume()
  }

  end(): void {
    this.#stream.end()
  }

  destroy(): void {
    this.#isGone = true
    this.#endWaiting()
    this.#stream.destroy()
  }

  attach(events: ByteStreamEvents): void {
    this.#events = events
  }

  due(): void {
    this.#refuse('handshakeTimeout', 'The header of the proxy did not come in time')
  }

  #take(bytes: Uint8Array): void {
    if (this.#awaiting) this.#takeHeader(bytes)
    else if (this.#kept.length === 0) this.#events?.onBytes(bytes)
    else {
      this.#kept = Buffer.concat([this.#kept, bytes])
      this.#deliver()
    }
  }

  #takeHeader(bytes: Uint8Array): void {
    this.#kept = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes])
    const header = readProxyHeader(this.#kept)
    if (header.kind === 'incomplete') return
    if (header.kind === 'invalid') {
      this.#refuse('malformed', `The header of the proxy is not valid: ${header.reason}`)
      return
    }
    if (header.source) this.remoteAddress = header.source.address
    this.#kept = this.#kept.subarray(header.byteCount)
    this.#endWaiting()?.ready(this)
    this.#deliver()
  }

  #deliver(): void {
    if (this.#isPaused || this.#isGone || this.#kept.length === 0) return
    const bytes = this.#kept
    this.#kept = nothing
    this.#events?.onBytes(bytes)
  }

  #closed(error: Error | undefined): void {
    this.#isGone = true
    const end = this.#endWaiting()
    if (end) end.over(this, this.#kept.length === 0 ? undefined : new ClusterError('malformed', { message: cutShort }))
    this.#kept = nothing
    this.#events?.onClosed(error)
  }

  #refuse(code: ErrorCode, message: string): void {
    const end = this.#endWaiting()
    this.destroy()
    end?.over(this, new ClusterError(code, { message }))
  }

  #endWaiting(): HeaderEnd | undefined {
    const awaiting = this.#awaiting
    this.#awaiting = undefined
    if (awaiting) this.#deadlines.remove(awaiting.deadline)
    return awaiting?.end
  }
}

const cutShort = 'The connection was closed within the header of the proxy'
