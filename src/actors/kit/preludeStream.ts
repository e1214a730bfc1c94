/**
 * A stream that begins behind something else, which is taken off before anybody gets it: the header of a proxy, in simulations the
 * handshake of TLS.
 */
import type { ByteStream, ByteStreamEvents } from '../../ports/network.js'

export interface Prelude {
  /** Of all that came and was not taken before, how many bytes are taken now, and whether what follows belongs to the stream. */
  take(bytes: Uint8Array): { readonly byteCount: number; readonly isOver: boolean }
  /** The stream is free to be attached to. */
  over(): void
  /** It was closed by the peer before; `isEmpty`: nothing had come at all. */
  closed(isEmpty: boolean): void
}

const nothing = new Uint8Array(0)

export class PreludeStream implements ByteStream {
  remoteAddress: string
  readonly #stream: ByteStream
  #prelude: Prelude | undefined
  #isEmpty = true
  /** What has come and was not taken yet, by the prelude or by who reads. */
  #kept: Uint8Array = nothing
  #events: ByteStreamEvents | undefined
  #isPaused = false
  #closing: { readonly error: Error | undefined } | undefined

  /** Attaches to the stream, so in the turn in which it was handed out. */
  constructor(stream: ByteStream, prelude: Prelude) {
    this.#stream = stream
    this.#prelude = prelude
    this.remoteAddress = stream.remoteAddress
    stream.attach({
      onBytes: (bytes) => this.#arrive(bytes),
      onDrain: () => this.#events?.onDrain(),
      onEnd: () => {
        if (this.#kept.length === 0) this.#events?.onEnd?.()
      },
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
    this.#deliverSoon()
    this.#stream.resume()
  }

  end(): void {
    this.#stream.end()
  }

  /** Nothing more is said of a prelude that was not over. */
  destroy(): void {
    this.#prelude = undefined
    this.#kept = nothing
    this.#stream.destroy()
  }

  attach(events: ByteStreamEvents): void {
    this.#events = events
    this.#deliverSoon()
  }

  #arrive(bytes: Uint8Array): void {
    this.#isEmpty = false
    if (this.#kept.length === 0 && !this.#prelude && this.#events) {
      this.#events.onBytes(bytes)
      return
    }
    this.#kept = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes])
    this.#takePrelude()
    this.#deliver()
  }

  #takePrelude(): void {
    while (this.#prelude && this.#kept.length > 0) {
      const prelude = this.#prelude
      const { byteCount, isOver } = prelude.take(this.#kept)
      this.#kept = this.#kept.subarray(byteCount)
      if (isOver && this.#prelude) {
        this.#prelude = undefined
        prelude.over()
      } else if (byteCount === 0) return
    }
  }

  #deliverSoon(): void {
    if (this.#kept.length > 0 || this.#closing) queueMicrotask(() => this.#deliver())
  }

  #deliver(): void {
    if (!this.#events || this.#prelude || this.#isPaused) return
    const bytes = this.#kept
    this.#kept = nothing
    if (bytes.length > 0) this.#events.onBytes(bytes)
    const closing = this.#closing
    this.#closing = undefined
    if (closing) this.#events.onClosed(closing.error)
  }

  #closed(error: Error | undefined): void {
    const prelude = this.#prelude
    this.#prelude = undefined
    if (prelude) prelude.closed(this.#isEmpty)
    else if (this.#events && this.#kept.length === 0) this.#events.onClosed(error)
    else this.#closing = { error }
  }
}
