/**
 * Openings of the handshake that were proven before, by their ephemeral keys: a recorded one is proven again by nature, and each
 * would cost the exchange of keys. No key makes an opening twice. The set holds what peers with the key made, and is bounded.
 */
export class SeenOpenings {
  readonly #openingsMax: number
  // Sets keep the order in which they were filled: the first is the oldest.
  readonly #seen = new Set<string>()

  constructor(openingsMax: number) {
    this.#openingsMax = openingsMax
  }

  get size(): number {
    return this.#seen.size
  }

  has(ephemeral: Uint8Array): boolean {
    return this.#seen.has(textOf(ephemeral))
  }

  add(ephemeral: Uint8Array): void {
    this.#seen.add(textOf(ephemeral))
    const [oldest] = this.#seen
    if (oldest !== undefined && this.#seen.size > this.#openingsMax) this.#seen.delete(oldest)
  }
}

const textOf = ({ buffer, byteOffset, byteLength }: Uint8Array): string => Buffer.from(buffer, byteOffset, byteLength).toString('latin1')
