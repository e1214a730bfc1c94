/** One connection that a simulated balancer forwards: bytes both ways, with back-pressure, and the end of either side. */
import type { ByteStream, ByteStreamEvents, Endpoint, Network } from '../../ports/network.js'

export interface SimulatedRelayOptions {
  readonly client: ByteStream
  readonly network: Network
  readonly endpoint: Endpoint
  /** One side is closed: it is no session any more. */
  onOver(): void
  /** Both sides are. */
  onGone(): void
}

export class SimulatedRelay {
  readonly #options: SimulatedRelayOptions
  readonly #dial = new AbortController()
  #upstream: ByteStream | undefined
  #open = 1

  /** Must be made in the turn in which the client's stream is handed out. */
  constructor(options: SimulatedRelayOptions) {
    const { client, endpoint, network } = options
    this.#options = options
    // Nothing is taken of the client, not even its end, before there is somebody to give it to.
    client.pause()
    client.attach(this.#events(client, () => this.#upstream))
    network.dial(endpoint, this.#dial.signal).then(
      (upstream) => this.#dialled(upstream),
      () => client.destroy(),
    )
  }

  /** Both sides are closed at once. */
  end(): void {
    this.#dial.abort()
    this.#upstream?.destroy()
    this.#options.client.destroy()
  }

  #dialled(upstream: ByteStream): void {
    const { client } = this.#options
    upstream.attach(this.#events(upstream, () => client))
    this.#upstream = upstream
    // The client may have gone in the meantime.
    if (this.#open === 0) upstream.destroy()
    this.#open += 1
    client.resume()
  }

  #events(own: ByteStream, other: () => ByteStream | undefined): ByteStreamEvents {
    return {
      onBytes: (bytes) => {
        if (other()?.write([bytes]) === false) own.pause()
      },
      onDrain: () => other()?.resume(),
      onEnd: () => other()?.end(),
      onClosed: (error) => {
        this.#open -= 1
        this.#dial.abort()
        // What was taken of a side that is gone is still given to the other; but an agent must not take the death of its server for an end.
        if (error && own === this.#upstream) other()?.destroy()
        else other()?.end()
        this.#options.onOver()
        if (this.#open === 0) this.#options.onGone()
      },
    }
  }
}
