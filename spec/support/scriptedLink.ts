/** A link without a wire: it lives until it is closed, and a test plays the peer. */
import { ClusterError } from '../../src/base/errors.js'
import type {
  Handlers,
  IncomingStream,
  Link,
  NoticeHandlers,
  OutgoingStream,
  Peer,
  RequestOptions,
  ServeOptions,
} from '../../src/ports/link.js'
import type { NoticeBody, NoticeName, ReplyBody, RequestBody, RequestName } from '../../src/wire/muster/messages.js'

/** What the peer says to a request; never answers when undefined is returned. */
export type PlayedPeer = (type: RequestName, body: unknown, options: RequestOptions) => Promise<unknown> | undefined

export class ScriptedLink implements Link {
  readonly peer: Peer
  readonly counters = {
    bytesSent: 0,
    bytesReceived: 0,
    sorted: { sent: { file: 0, agents: 0, groups: 0 }, received: { file: 0, agents: 0, groups: 0 } },
    framesSent: 0,
    framesReceived: 0,
    unknownMessages: 0,
  }
  readonly notified: NoticeName[] = []
  /** What was notified. */
  readonly notices: unknown[] = []
  closedWith: { readonly reason: string; readonly error?: ClusterError } | undefined
  error: ClusterError | undefined
  readonly #play: PlayedPeer
  readonly #handlers = new Map<string, (body: never) => unknown>()
  readonly #subscribers = new Set<NoticeHandlers>()
  #onCrash: ServeOptions['onCrash']
  #closers: ((error: ClusterError) => void)[] = []

  constructor(node = 'w1', play: PlayedPeer = () => undefined, capabilities: readonly string[] = []) {
    this.peer = { node, type: 'worker', version: 'v1', wazuh: '4.14.7', address: '10.0.0.1', capabilities, protocol: 1, key: 'current' }
    this.#play = play
  }

  /** Handlers and subscribers that were not removed. */
  get served(): number {
    return this.#handlers.size + this.#subscribers.size
  }

  /** The callers that wait for the end. */
  get isOpen(): boolean {
    return this.error === undefined
  }

  async request<K extends RequestName>(type: K, body: RequestBody<K>, options: RequestOptions): Promise<ReplyBody<K>> {
    if (this.error) throw this.error
    const answer = this.#play(type, body, options) ?? new Promise<never>(() => {})
    return (await answer) as ReplyBody<K>
  }

  notify<K extends NoticeName>(type: K, body: NoticeBody<K>): void {
    if (!this.isOpen) return
    this.notified.push(type)
    this.notices.push(body)
  }

  serve(handlers: Handlers, options: ServeOptions = {}): () => void {
    this.#onCrash = options.onCrash
    const added = Object.entries(handlers)
    for (const [type, handle] of added) {
      if (this.#handlers.has(type)) throw new Error(`${type} is served twice`)
      this.#handlers.set(type, handle as (body: never) => unknown)
    }
    return () => {
      for (const [type] of added) this.#handlers.delete(type)
    }
  }

  subscribe(handlers: NoticeHandlers): () => void {
    this.#subscribers.add(handlers)
    return () => this.#subscribers.delete(handlers)
  }

  /** The peer says this. */
  receiveNotice<K extends NoticeName>(type: K, body: NoticeBody<K>): void {
    for (const { [type]: subscribe } of this.#subscribers) subscribe?.(body)
  }

  expectStream(): IncomingStream {
    throw new ClusterError('linkClosed')
  }

  openStream(): OutgoingStream {
    throw new ClusterError('linkClosed')
  }

  close(reason: 'stopping' | 'error', error?: ClusterError): void {
    if (this.closedWith || this.error) return
    this.closedWith = { reason, ...(error && { error }) }
    this.lose(error ?? new ClusterError('linkClosed'))
  }

  onClosed(closed: (error: ClusterError) => void): void {
    if (this.error) closed(this.error)
    else this.#closers.push(closed)
  }

  // ------------------------------------------------------------------------------------------------ what the peer does

  /** The wire breaks, or the peer says goodbye. */
  lose(error: ClusterError): void {
    if (this.error) return
    this.error = error
    for (const closed of this.#closers.splice(0)) closed(error)
  }

  /** The peer asks. */
  ask(type: RequestName, body: unknown): unknown {
    const handle = this.#handlers.get(type)
    if (!handle) throw new Error(`nothing serves ${type}`)
    try {
      return handle(body as never)
    } catch (thrown) {
      if (thrown instanceof ClusterError) throw thrown
      this.#onCrash?.(thrown, type)
      return undefined
    }
  }
}
