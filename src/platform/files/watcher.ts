/**
 * Hints that files of the synced tree may have changed, from the operating system. Only hints: what is lost or cannot be
 * watched is found by the periodic scan of everything.
 */
import { realpathSync } from 'node:fs'
import type Watcher from '@parcel/watcher'
import { errnoOf, isGone } from '../../disk/files/diskFailure.js'
import { coveringRoots, hintOf } from '../../disk/files/treeHints.js'
import type { SyncedItems } from '../../domain/files/syncedItems.js'
import type { TreeWatch } from '../../ports/files.js'

export type OnHint = (paths: readonly string[] | undefined) => void

/** How often a directory that is not there, or whose watch failed, is tried again. */
const retryMs = 5_000

interface WatchedRootOptions {
  readonly subscribe: typeof Watcher.subscribe
  readonly home: string
  readonly synced: SyncedItems
  readonly onHint: OnHint
}

/** Watches one directory for as long as it is there, and again when it is back. */
class WatchedRoot {
  readonly #subscribe: typeof Watcher.subscribe
  readonly #home: string
  readonly #root: string
  readonly #synced: SyncedItems
  readonly #onHint: OnHint
  #subscription: Watcher.AsyncSubscription | undefined
  #retry: NodeJS.Timeout | undefined
  #isClosed = false
  /** The directory is not there. */
  #isMissing = false

  constructor(root: string, { home, onHint, subscribe, synced }: WatchedRootOptions) {
    this.#subscribe = subscribe
    this.#home = home
    this.#root = root
    this.#synced = synced
    this.#onHint = onHint
  }

  /** Nothing can change in it without a hint. */
  get isCovered(): boolean {
    return this.#subscription !== undefined || this.#isMissing
  }

  /** Resolves when it is watched, or cannot be for now. */
  async start(isAgain = false): Promise<void> {
    this.#isMissing = false
    try {
      // Events name the real path, also when the item's directory is a symlink.
      const real = realpathSync.native(`${this.#home}/${this.#root}`)
      const subscription = await this.#subscribe(real, (error, events) => this.#handle(real, error, events))
      if (this.#isClosed) await subscription.unsubscribe()
      else this.#subscription = subscription
      if (isAgain && !this.#isClosed) this.#onHint([this.#root])
    } catch (thrown) {
      this.#isMissing = isGone(errnoOf(thrown))
      // Not there, or the system has no watches left: the periodic scan of everything covers it meanwhile.
      this.#startLater()
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    const subscription = this.#subscription
    this.#subscription = undefined
    await subscription?.unsubscribe()
  }

  #handle(real: string, error: Error | null, events: readonly Watcher.Event[]): void {
    if (this.#isClosed) return
    if (error) {
      this.#onHint(undefined)
      this.#restart()
      return
    }
    const hints = new Set<string>()
    for (const event of events) {
      const hint = hintOf(this.#synced, this.#root + event.path.slice(real.length))
      if (hint !== undefined) hints.add(hint)
      if (event.path === real && event.type === 'delete') this.#restart()
    }
    if (hints.size > 0) this.#onHint([...hints])
  }

  #restart(): void {
    const subscription = this.#subscription
    this.#subscription = undefined
    subscription?.unsubscribe().catch(() => undefined)
    this.#startLater()
  }

  #startLater(): void {
    if (this.#isClosed || this.#retry) return
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      void this.start(true)
    }, retryMs)
    this.#retry.unref()
  }
}

/** Resolves when everything that is there is watched. Calls back with paths relative to the home, or with nothing when anything may have changed. */
export const watchTree = async (home: string, synced: SyncedItems, onHint: OnHint): Promise<TreeWatch> => {
  // Native code, a twentieth of a start: a node begins to listen before it is loaded.
  const { subscribe } = (await import('@parcel/watcher')).default
  const roots = coveringRoots(synced).map((root) => new WatchedRoot(root, { subscribe, home, synced, onHint }))
  await Promise.all(roots.map((root) => root.start()))
  return {
    get isWhole() {
      return roots.every((root) => root.isCovered)
    },
    close: async () => {
      await Promise.all(roots.map((root) => root.close()))
    },
  }
}
