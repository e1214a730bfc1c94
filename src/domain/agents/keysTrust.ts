/**
 * What is trusted of client.keys. A file may be seen for a moment without its agents: while an editor saves it, after a disk
 * ran full. So an agent that a line names is taken at once, and one that is marked as removed is gone at once; but one that is only
 * missing is gone when the file has been stable for long enough, and never because of a file that says nothing at all.
 */
import { limits } from '../../base/limits.js'
import { changedIds } from './agentIds.js'
import type { KeysDelta } from './clientKeys.js'
import type { KeyEntry } from './keyEntry.js'

/** What a check changes of what is trusted. */
export interface KeysUpdates {
  readonly upserts: readonly KeyEntry[]
  readonly removals: readonly number[]
  /** Why the file is not trusted; reported once. */
  readonly problem?: string
  /** Another check is needed after this time. */
  readonly againInMs?: number
}

export class KeysTrust {
  /** In order. */
  #ids: Uint32Array = new Uint32Array()
  /** Missing from the file, and not trusted to be gone yet. */
  readonly #missing = new Map<number, KeyEntry>()
  #isComplete = false
  /** What the last check saw, and when the first check in a row saw the same. */
  #view = { seen: '', sinceMs: 0 }
  #loggedSuspicion: string | undefined
  #isSeen = false

  get ids(): Uint32Array {
    return this.#ids
  }

  /** Agents that still count although the file lacks them. */
  get missing(): IterableIterator<KeyEntry> {
    return this.#missing.values()
  }

  /** An agent that is not among `ids` does not exist: the file was trusted at least once in what it lacks. */
  get isComplete(): boolean {
    return this.#isComplete
  }

  /**
   * A file with agents, or the file of a node that never had any.
   * @param version differs whenever the file was written, even if the content is the same
   * @param isConfirmed on a worker: whether these are the agents that the master trusts. Its file is only a copy, perhaps of
   * a moment at which the master's was damaged, so time proves nothing there.
   */
  see(nowMs: number, version: string, { marked, upserts, vanished }: KeysDelta, isConfirmed?: (ids: Uint32Array) => boolean): KeysUpdates {
    this.#isSeen = true
    this.#loggedSuspicion = undefined
    for (const { id } of upserts) this.#missing.delete(id)
    for (const id of marked) this.#missing.delete(id)
    for (const entry of vanished) this.#missing.set(entry.id, entry)
    const waitMs = isConfirmed ? this.#unconfirmedMs(upserts, marked, isConfirmed) : this.#waitMs(nowMs, `version ${version}`)
    const removals = waitMs > 0 ? marked : [...marked, ...this.#missing.keys()]
    if (waitMs === 0) {
      this.#missing.clear()
      this.#isComplete = true
    }
    this.#change(upserts, removals)
    const isWaiting = this.#missing.size > 0 || !this.#isComplete
    return isWaiting ? { upserts, removals, againInMs: waitMs } : { upserts, removals }
  }

  /**
   * A file that says nothing about who exists. It may be on its way back to what it said before: reported when it lasts, and at once
   * when it never said anything.
   * @param problem nothing when that is as it should be, because there never was an agent
   */
  suspect(nowMs: number, problem: string | undefined): KeysUpdates {
    const waitMs = this.#waitMs(nowMs, `suspect ${problem}`)
    const nothing = { upserts: [], removals: [] }
    if (problem === undefined || problem === this.#loggedSuspicion) return nothing
    if (waitMs > 0 && this.#isSeen) return { ...nothing, againInMs: waitMs }
    this.#loggedSuspicion = problem
    return { ...nothing, problem }
  }

  /** How long the same content must still be seen until it is trusted. A clock that was set back restarts the time. */
  #waitMs(nowMs: number, seen: string): number {
    if (seen !== this.#view.seen || nowMs < this.#view.sinceMs) this.#view = { seen, sinceMs: nowMs }
    return Math.max(0, limits.keysTrustedMs - (nowMs - this.#view.sinceMs))
  }

  #unconfirmedMs(upserts: readonly KeyEntry[], marked: readonly number[], isConfirmed: (ids: Uint32Array) => boolean): number {
    const gone = new Set([...marked, ...this.#missing.keys()])
    if (upserts.length + gone.size === 0) return isConfirmed(this.#ids) ? 0 : limits.keysTrustedMs
    const ids = changedIds(
      this.#ids,
      upserts.map(({ id }) => id),
      gone,
    )
    return isConfirmed(ids) ? 0 : limits.keysTrustedMs
  }

  #change(upserts: readonly KeyEntry[], removals: readonly number[]): void {
    if (upserts.length === 0 && removals.length === 0) return
    this.#ids = changedIds(
      this.#ids,
      upserts.map(({ id }) => id),
      new Set(removals),
    )
  }
}
