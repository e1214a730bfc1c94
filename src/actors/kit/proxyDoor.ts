/**
 * Where connections come in, of which some are forwarded by proxies: those begin with a header that says whose they are, and are
 * handed on with that address once it has come. All others are handed on at once.
 */
import type { Deadline, Deadlines, Due } from '../../base/deadlines.js'
import { ClusterError, type ErrorCode } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { addressesIn } from '../../domain/kit/addressInNetwork.js'
import type { ByteStream } from '../../ports/network.js'
import { readProxyHeader } from '../../wire/proxy/proxyHeader.js'
import { type Prelude, PreludeStream } from './preludeStream.js'

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
  readonly #waiting = new Set<HeaderWait>()

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
      new HeaderWait(stream, this.#options.deadlines, (wait, outcome) => {
        this.#waiting.delete(wait)
        if (outcome === 'ready') this.#options.onStream(wait.stream)
        else if (outcome !== 'silent') this.#options.onRefused(outcome, stream.remoteAddress)
      }),
    )
  }

  /** Those that wait for a header are gone; those that came through stay. */
  stop(): void {
    for (const wait of this.#waiting) wait.abandon()
    this.#waiting.clear()
  }
}

const tooMany = `It was refused: ${limits.proxyHeadersMax} connections of proxies wait for their header`

/** `silent`: it was closed before anything came, as balancers do to see whether somebody listens. */
type HeaderEnd = (wait: HeaderWait, outcome: 'ready' | 'silent' | ClusterError) => void

/** One connection that has not said yet whom it forwards. */
class HeaderWait implements Prelude, Due {
  readonly stream: PreludeStream
  readonly #deadlines: Deadlines
  readonly #deadline: Deadline
  readonly #ended: HeaderEnd

  constructor(stream: ByteStream, deadlines: Deadlines, ended: HeaderEnd) {
    this.#deadlines = deadlines
    this.#ended = ended
    this.#deadline = deadlines.add(limits.proxyHeaderMsMax, this)
    this.stream = new PreludeStream(stream, this)
  }

  take(bytes: Uint8Array): { readonly byteCount: number; readonly isOver: boolean } {
    const header = readProxyHeader(bytes)
    if (header.kind === 'invalid') this.#refuse('malformed', `The header of the proxy is not valid: ${header.reason}`)
    if (header.kind !== 'header') return { byteCount: 0, isOver: false }
    if (header.source) this.stream.remoteAddress = header.source.address
    return { byteCount: header.byteCount, isOver: true }
  }

  over(): void {
    this.#deadlines.remove(this.#deadline)
    this.#ended(this, 'ready')
  }

  closed(isEmpty: boolean): void {
    this.#deadlines.remove(this.#deadline)
    this.#ended(this, isEmpty ? 'silent' : new ClusterError('malformed', { message: cutShort }))
  }

  due(): void {
    this.#refuse('handshakeTimeout', 'The header of the proxy did not come in time')
  }

  abandon(): void {
    this.#deadlines.remove(this.#deadline)
    this.stream.destroy()
  }

  #refuse(code: ErrorCode, message: string): void {
    this.abandon()
    this.#ended(this, new ClusterError(code, { message }))
  }
}

const cutShort = 'The connection was closed within the header of the proxy'
