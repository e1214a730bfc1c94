/** Call-backs of one kind of event, and waiting for something that they signal. */
import { ClusterError } from '../../base/errors.js'

/** Resolves as soon as `isSo`, which is asked now and at each call-back. Fails with `aborted`. */
export const waitUntil = (isSo: () => boolean, onChanged: (listener: () => void) => () => void, signal: AbortSignal): Promise<void> => {
  if (isSo()) return Promise.resolve()
  if (signal.aborted) return Promise.reject(new ClusterError('aborted'))
  return new Promise((resolve, reject) => {
    const stop = onChanged(() => {
      if (isSo()) settle(resolve)
    })
    const fail = (): void => settle(() => reject(new ClusterError('aborted')))
    const settle = (then: () => void): void => {
      stop()
      signal.removeEventListener('abort', fail)
      then()
    }
    signal.addEventListener('abort', fail, { once: true })
  })
}

/** Call-backs of one kind of event; `T` is what it says. */
export class Signal<T = void> {
  readonly #listeners = new Set<(value: T) => void>()

  /** Calls back at each event until the returned function is called. */
  add(listener: (value: T) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(value: T): void {
    for (const listener of [...this.#listeners]) listener(value)
  }
}
