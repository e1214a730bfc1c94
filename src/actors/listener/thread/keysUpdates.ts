/** Who may connect, on its way to one run of the listener: all agents before it listens, then each change, in order. */
import { asClusterError, type ClusterError } from '../../../base/errors.js'
import type { KeysUpdate } from '../../../ports/listener.js'
import type { KeysFeedPage } from '../../agents/keysFeed.js'
import type { LocalKeys } from '../../agents/localKeys.js'
import { Published } from '../../kit/published.js'

export class KeysUpdates {
  readonly #isWhole = new Published(false)
  readonly #unfollow: () => void
  #waiting: KeysUpdate[] = []
  #send: ((update: KeysUpdate) => Promise<void>) | undefined
  #isSending = false
  #fail: (error: ClusterError) => void = () => undefined

  constructor(keys: Pick<LocalKeys, 'follow'>) {
    this.#unfollow = keys.follow((page) => this.#add(page))
  }

  /** All agents. Fails with `aborted`. */
  async all(signal: AbortSignal): Promise<readonly KeysUpdate[]> {
    await this.#isWhole.waitUntil((isWhole) => isWhole, signal)
    return this.#waiting.splice(0)
  }

  /** From now on updates are sent, one after the other; `fail` when one cannot be. */
  sendTo(send: (update: KeysUpdate) => Promise<void>, fail: (error: ClusterError) => void): void {
    this.#send = send
    this.#fail = fail
    void this.#pump()
  }

  stop(): void {
    this.#unfollow()
    this.#send = undefined
    this.#waiting = []
  }

  #add({ isFirst, isLast, removals, upserts }: KeysFeedPage): void {
    // A check that reports all agents again makes what waits pointless.
    if (isFirst) this.#waiting = []
    if (isFirst || upserts.length + removals.length > 0) this.#waiting.push({ isFirst, upserts, removals })
    if (isLast) this.#isWhole.publish(true)
    void this.#pump()
  }

  async #pump(): Promise<void> {
    if (this.#isSending) return
    this.#isSending = true
    try {
      for (let update = this.#next(); update; update = this.#next()) await this.#send?.(update)
    } catch (thrown) {
      this.#fail(asClusterError(thrown))
    } finally {
      this.#isSending = false
    }
  }

  #next(): KeysUpdate | undefined {
    return this.#send && this.#waiting.shift()
  }
}
