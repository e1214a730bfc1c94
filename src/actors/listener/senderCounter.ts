/**
 * The counter of all messages to agents. It never goes back, not even after a kill: the file holds a bound that is not reached yet, and
 * is written ahead once in 9 997 messages.
 */
import type { ListenerFiles } from '../../ports/listener.js'
import { type MessageCounter, nextCounter, noMessages } from '../../wire/agents/counters.js'

export class SenderCounter {
  readonly #files: Pick<ListenerFiles, 'readCounter' | 'writeCounter'>
  readonly #onFailure: (thrown: unknown) => void
  #last: MessageCounter
  #reservedGlobal: number

  /** @param onFailure the counter could not be written: it goes on, but after a kill it may go back */
  constructor(files: Pick<ListenerFiles, 'readCounter' | 'writeCounter'>, onFailure: (thrown: unknown) => void) {
    this.#files = files
    this.#onFailure = onFailure
    this.#last = this.#read() ?? noMessages
    this.#reservedGlobal = this.#last.global
  }

  next(): MessageCounter {
    this.#last = nextCounter(this.#last)
    if (this.#reservedGlobal <= this.#last.global) this.#reserve()
    return this.#last
  }

  /** The exact number, so that the next run goes on from it. */
  close(): void {
    if (this.#reservedGlobal > this.#last.global) this.#write(this.#last)
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
    this.#reservedGlobal = this.#last.global + 1
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
