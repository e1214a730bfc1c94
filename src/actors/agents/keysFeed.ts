/** Who may connect, for those who keep all keys in memory: all agents of client.keys with their keys, then what changes. */
import type { KeyEntry } from '../../domain/agents/keyEntry.js'

/** Pages of one check of client.keys belong together. */
export interface KeysFeedPage {
  /** All agents begin here: who is in none of the pages up to the last one is gone. */
  readonly isFirst: boolean
  readonly upserts: readonly KeyEntry[]
  readonly removals: readonly number[]
  readonly isLast: boolean
}

type Follower = (page: KeysFeedPage) => void

export class KeysFeed {
  readonly #followers = new Set<Follower>()
  readonly #newcomers = new Set<Follower>()

  /** Calls back until the returned function is called; with changes only after all agents. */
  add(follower: Follower): () => void {
    this.#newcomers.add(follower)
    return () => {
      this.#newcomers.delete(follower)
      this.#followers.delete(follower)
    }
  }

  /** Somebody does not know all agents yet. */
  get wantsAll(): boolean {
    return this.#newcomers.size > 0
  }

  /** A check that reports all agents begins: newcomers follow from here. */
  beginAll(): void {
    for (const follower of this.#newcomers) this.#followers.add(follower)
    this.#newcomers.clear()
  }

  emit(page: KeysFeedPage): void {
    if (!page.isFirst && !page.isLast && page.upserts.length + page.removals.length === 0) return
    for (const follower of [...this.#followers]) follower(page)
  }
}
