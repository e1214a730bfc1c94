/** What an end of a connection receives, for the suite of networks. */
import { createHash } from 'node:crypto'
import type { ByteStream } from '../../ports/network.js'

/** One attached end, with all events that it received. */
export class StreamEnd {
  readonly stream: ByteStream
  readonly events: string[] = []
  readonly parts: Uint8Array[] = []
  onBytes: () => void = () => {}
  /** Undefined until the peer closed its side. */
  wasClosedWhenEnded: boolean | undefined
  readonly #watchers = new Set<() => void>()

  constructor(stream: ByteStream) {
    this.stream = stream
    stream.attach({
      onBytes: (bytes) => {
        this.parts.push(bytes)
        this.#note('bytes')
        this.onBytes()
      },
      onDrain: () => this.#note('drain'),
      onEnd: () => {
        this.wasClosedWhenEnded = this.isClosed
      },
      onClosed: (error) => this.#note(error ? 'closed with an error' : 'closed'),
    })
  }

  get byteCount(): number {
    return this.parts.reduce((sum, part) => sum + part.length, 0)
  }

  get digest(): string {
    const hash = createHash('sha256')
    for (const part of this.parts) hash.update(part)
    return hash.digest('hex')
  }

  get isClosed(): boolean {
    return this.events.at(-1)?.startsWith('closed') ?? false
  }

  /** Resolves once an event makes the predicate hold. */
  until(holds: (end: StreamEnd) => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!holds(this)) return
        this.#watchers.delete(check)
        resolve()
      }
      this.#watchers.add(check)
      check()
    })
  }

  #note(what: string): void {
    this.events.push(what)
    for (const watcher of [...this.#watchers]) watcher()
  }
}
