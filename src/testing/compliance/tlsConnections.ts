/** A listener of TLS and the connections to it, for the suite of TLS. */
import assert from 'node:assert/strict'
import type { ClusterError } from '../../base/errors.js'
import type { AgentNetwork, ByteStream, Listener, TlsClientOptions, TlsServerOptions, TlsStream } from '../../ports/network.js'
import { codeOf } from './complianceCase.js'
import { StreamEnd } from './streamEnd.js'

export interface TlsSuite {
  readonly dialing: AgentNetwork
  /** The same network, as the host sees it that listens. */
  readonly listening: AgentNetwork
  readonly listenHost: string
  readonly dialHost: string
  /** Waits for a promise; a network in virtual time lets the time pass meanwhile. */
  readonly run: <T>(promise: Promise<T>) => Promise<T>
  /** Lets this much time pass, and what falls into it happen. */
  readonly sleep: (ms: number) => Promise<void>
  /** PEM texts. The client's certificate is of the authority and has these names; the stranger's is not. */
  readonly identities: {
    readonly server: Identity
    readonly client: Identity & { readonly names: readonly string[] }
    readonly stranger: Identity
    readonly authority: string
  }
}

interface Identity {
  readonly certificate: string
  readonly key: string
}

const never = new AbortController().signal
export const handshakeMsMax = 400
const ownHost = '127.0.0.1'

/** A listener of TLS, and the connections that a case makes to it. */
export class TlsConnections {
  readonly suite: TlsSuite
  readonly accepted: StreamEnd[] = []
  /** As the listener handed them out. */
  readonly streams: TlsStream[] = []
  readonly refused: ClusterError[] = []
  onAccepted: (end: StreamEnd) => void = () => {}
  readonly #open: ByteStream[] = []
  readonly #listeners: Listener[] = []
  readonly #proxies: Listener[] = []
  #onRefused: (error: ClusterError) => void = () => {}
  #dialerAddress = ''

  constructor(suite: TlsSuite) {
    this.suite = suite
  }

  get listener(): Listener {
    const listener = this.#listeners.at(-1)
    assert.ok(listener)
    return listener
  }

  /** As the listener sees those that dial. */
  get dialerAddress(): string {
    return this.#dialerAddress
  }

  run<T>(promise: Promise<T>): Promise<T> {
    return this.suite.run(promise)
  }

  /** In place of the listener before, whose port is free then. */
  async listen(tls: Partial<TlsServerOptions> = {}, port = 0): Promise<void> {
    for (const listener of this.#listeners) await this.run(listener.close())
    const { identities, listenHost, listening } = this.suite
    const listener = await this.run(
      listening.listenTls(
        { host: listenHost, port },
        { ...identities.server, handshakeMsMax, ...tls },
        (stream) => {
          this.streams.push(stream)
          const end = this.attached(stream)
          this.accepted.push(end)
          this.onAccepted(end)
        },
        (error) => {
          this.refused.push(error)
          this.#onRefused(error)
        },
      ),
    )
    this.#listeners.push(listener)
  }

  async begin(): Promise<this> {
    const { dialHost, listenHost, listening } = this.suite
    const plain = await this.run(
      listening.listen({ host: listenHost, port: 0 }, (stream) => {
        this.#dialerAddress = stream.remoteAddress
        stream.attach({ onBytes: () => {}, onDrain: () => {}, onClosed: () => {} })
        stream.end()
      }),
    )
    const end = this.attached(await this.run(this.suite.dialing.dial({ host: dialHost, port: plain.port }, never)))
    await this.run(end.until(({ isClosed }) => isClosed))
    await this.run(plain.close())
    await this.listen()
    return this
  }

  /** Of the next that is refused. */
  refusal(): Promise<ClusterError> {
    return new Promise((resolve) => {
      this.#onRefused = resolve
    })
  }

  dial(tls: TlsClientOptions = {}, port = this.listener.port, signal: AbortSignal = never, host = this.suite.dialHost): Promise<StreamEnd> {
    const { dialing } = this.suite
    return this.run(dialing.dialTls({ host, port }, tls, signal).then((stream) => this.attached(stream)))
  }

  dialPlain(): Promise<StreamEnd> {
    const { dialHost, dialing } = this.suite
    return this.run(dialing.dial({ host: dialHost, port: this.listener.port }, never).then((stream) => this.attached(stream)))
  }

  codeOfDial(tls: TlsClientOptions, port = this.listener.port, signal: AbortSignal = never): Promise<string> {
    return codeOf(this.dial(tls, port, signal))
  }

  /** A client may learn that it is refused while it shakes hands, or by a close right after. */
  async codeOrClosed(tls: TlsClientOptions): Promise<void> {
    const end = await this.dial(tls).catch(() => undefined)
    if (end) await this.run(end.until(({ isClosed }) => isClosed))
  }

  /** Both ends of a new connection; with a header, it comes through a proxy that sends it. */
  async connect(options: { readonly tls?: TlsClientOptions; readonly header?: Uint8Array } = {}): Promise<readonly [StreamEnd, StreamEnd]> {
    const arrival = new Promise<StreamEnd>((resolve) => {
      this.onAccepted = resolve
    })
    const proxyPort = options.header && (await this.#proxy(options.header))
    const dialer = await (proxyPort === undefined ? this.dial(options.tls) : this.dial(options.tls, proxyPort, never, ownHost))
    return [dialer, await this.run(arrival)]
  }

  /** A proxy on the host that dials: what it forwards begins with the header. Returns its port. */
  async #proxy(header: Uint8Array): Promise<number> {
    const { dialHost, dialing } = this.suite
    const to = { host: dialHost, port: this.listener.port }
    const proxy = await this.run(
      dialing.listen({ host: ownHost, port: 0 }, (near) => {
        const early: Uint8Array[] = [header]
        let far: StreamEnd | undefined
        const end = this.attached(near)
        end.onBytes = () => {
          const bytes = end.parts.splice(0)
          if (far) far.stream.write(bytes)
          else early.push(...bytes)
        }
        void dialing.dial(to, never).then((stream) => {
          const reached = this.attached(stream)
          far = reached
          reached.onBytes = () => near.write(reached.parts.splice(0))
          stream.write(early)
        })
      }),
    )
    this.#proxies.push(proxy)
    return proxy.port
  }

  async end(): Promise<void> {
    for (const stream of this.#open) stream.destroy()
    for (const listener of [...this.#listeners, ...this.#proxies]) await this.run(listener.close())
  }

  attached(stream: ByteStream): StreamEnd {
    this.#open.push(stream)
    return new StreamEnd(stream)
  }
}
