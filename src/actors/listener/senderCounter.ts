/**
 * The counter of all messages to agents. It never goes back, not even after a kill: the file holds a bound that is not reached yet, and
 * is written ahead once in 9 997 messages.
 */
import type { ListenerFiles, MessageCounter } from '../../ports/listener.js'

/** As Wazuh counts: after this local number the global one rises. */
export const localMax = 9_997

export class SenderCounter {
  readonly #files: Pick<ListenerFiles, 'readCounter' | 'writeCounter'>
  readonly #onFailure: (thrown: unknown) => void
  #global: number
  #local: number
  #reservedGlobal: number

  /** @param onFailure the counter could not be written: it goes on, but after a kill it may go back */
  constructor(files: Pick<ListenerFiles, 'readCounter' | 'writeCounter'>, onFailure: (thrown: unknown) => void) {
    this.#files = files
    this.#onFailure = onFailure
    const { global, local } = this.#read() ?? { global: 0, local: 0 }
    this.#global = global
    this.#local = local
    this.#reservedGlobal = global
  }

  next(): MessageCounter {
    if (this.#local >= localMax) {
      this.#global += 1
      this.#local = 0
    }
    if (this.#reservedGlobal <= this.#global) this.#reserve()
    this.#local += 1
    return { global: this.#global, local: this.#local }
  }

  /** The exact number, so that the next run goes on from it. */
  close(): void {
    if (this.#reservedGlobal > this.#global) this.#write({ global: this.#global, local: this.#local })
  }

  #read(): MessageCounter | undefined {
    try {
      return this.#files.readCounter('sender')
    } catch (thrown) {
      this.#onFailure(thrown)
      return undefined
    }
  }

  #reserve(): void {
    this.#reservedGlobal = this.#global + 1
    this.#write({ global: this.#reservedGlobal, local: 0 })
  }

  #write(counter: MessageCounter): void {
    try {
      this.#files.writeCounter('sender', counter)
    } catch (thrown) {
      this.#onFailure(thrown)
    }
  }
}
