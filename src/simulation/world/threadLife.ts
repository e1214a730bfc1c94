/**
 * What a thread of a simulated node holds: timers, sockets and calls of its node. When it dies all of it is gone at once, and nothing of
 * the dead thread's code runs any more.
 */
import type { Clock } from '../../ports/machine.js'
import type { AgentNetwork, ByteStream, ByteStreamEvents } from '../../ports/network.js'

export class ThreadLife {
  readonly #timers = new Map<unknown, Clock>()
  readonly #closers = new Set<() => void>()
  #isOver = false

  get isOver(): boolean {
    return this.#isOver
  }

  /** Its timers are cancelled and its sockets are closed: the other end sees a reset. */
  end(): void {
    this.#isOver = true
    for (const [timer, clock] of this.#timers) clock.clearTimeout(timer)
    this.#timers.clear()
    for (const close of [...this.#closers]) close()
    this.#closers.clear()
  }

  clock(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonicMs: () => clock.monotonicMs(),
      setTimeout: (fire, delayMs) => {
        if (this.#isOver) return undefined
        const timer: unknown = clock.setTimeout(() => {
          this.#timers.delete(timer)
          fire()
        }, delayMs)
        this.#timers.set(timer, clock)
        return timer
      },
      clearTimeout: (timer) => {
        this.#timers.delete(timer)
        clock.clearTimeout(timer)
      },
    }
  }

  network(network: AgentNetwork): AgentNetwork {
    return {
      dial: async (endpoint, signal) => this.#stream(await network.dial(endpoint, signal)),
      dialTls: async (endpoint, tls, signal) => this.#stream(await network.dialTls(endpoint, tls, signal)),
      listen: async (endpoint, onConnection, onAcceptError) =>
        this.#closing(await network.listen(endpoint, (stream) => onConnection(this.#stream(stream)), onAcceptError)),
      listenTls: async (endpoint, tls, onConnection, onAcceptError) =>
        this.#closing(await network.listenTls(endpoint, tls, (stream) => onConnection(this.#stream(stream)), onAcceptError)),
      openDatagrams: async (endpoint, onDatagram) =>
        this.#closing(await network.openDatagrams(endpoint, (bytes, from) => this.#isOver || onDatagram(bytes, from))),
    }
  }

  /** Calls of another thread: those of a dead one are answered to nobody. */
  calls<D extends { readonly [K in keyof D]: (...given: never) => Promise<unknown> }>(desk: D): D {
    const entries = Object.entries<(...given: never) => Promise<unknown>>(desk).map(([name, call]) => [
      name,
      (...given: never) => this.#whileAlive(() => call(...given)),
    ])
    // Object.fromEntries forgets the names of the keys, which are the desk's.
    return Object.fromEntries(entries) as D
  }

  #whileAlive<T>(call: () => Promise<T>): Promise<T> {
    if (this.#isOver) return new Promise(() => undefined)
    return new Promise((resolve, reject) => {
      call().then(
        (value) => this.#isOver || resolve(value),
        (thrown: unknown) => this.#isOver || reject(thrown),
      )
    })
  }

  #closing<C extends { close(): Promise<void> }>(opened: C): C {
    const close = (): void => void opened.close()
    if (this.#isOver) close()
    else this.#closers.add(close)
    return opened
  }

  #stream<S extends ByteStream>(stream: S): S {
    const destroy = (): void => stream.destroy()
    this.#closers.add(destroy)
    const attach = (events: ByteStreamEvents): void =>
      stream.attach({
        onBytes: (bytes) => this.#isOver || events.onBytes(bytes),
        onDrain: () => this.#isOver || events.onDrain(),
        onEnd: () => this.#isOver || events.onEnd?.(),
        onClosed: (error) => {
          this.#closers.delete(destroy)
          if (!this.#isOver) events.onClosed(error)
        },
      })
    return new Proxy(stream, {
      get: (target, name) => {
        if (name === 'attach') return attach
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}
