/** The local socket of a simulated program that reads events: it is there or not, and has room for as many as it says. */
import type { LocalDatagrams } from '../../ports/listener.js'

export class MemoryDatagrams implements LocalDatagrams {
  /** Whether somebody reads. What was taken and not read goes with a reader. */
  isPresent: boolean
  /** As `net.unix.max_dgram_qlen` bounds it. */
  readonly #waitingMax: number
  #waiting: Uint8Array[] = []

  constructor(options: { readonly isPresent?: boolean; readonly waitingMax?: number } = {}) {
    this.isPresent = options.isPresent ?? true
    this.#waitingMax = options.waitingMax ?? Number.POSITIVE_INFINITY
  }

  send(bytes: Uint8Array): 'sent' | 'full' | 'absent' {
    if (!this.isPresent) return 'absent'
    if (this.#waiting.length >= this.#waitingMax) return 'full'
    this.#waiting.push(new Uint8Array(bytes))
    return 'sent'
  }

  /** What the reader takes: all that waits. */
  read(): readonly Uint8Array[] {
    const read = this.#waiting
    this.#waiting = []
    return read
  }

  close(): void {}
}
