/** A value that one actor publishes, for others to read, to follow and to wait for. */
import { Signal, waitUntil } from './signal.js'

export class Published<T> {
  readonly changes = new Signal()
  #value: T

  constructor(value: T) {
    this.#value = value
  }

  get value(): T {
    return this.#value
  }

  publish(value: T): void {
    this.#value = value
    this.changes.emit()
  }

  /** Resolves as soon as a published value, the present one included, is what is waited for. Fails with `aborted`. */
  waitUntil(isSo: (value: T) => boolean, signal: AbortSignal): Promise<void> {
    return waitUntil(
      () => isSo(this.#value),
      (listener) => this.changes.add(listener),
      signal,
    )
  }
}
