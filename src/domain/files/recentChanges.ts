/**
 * What changed in a tree of late: the roots that it had, and the paths that may differ since the oldest of them. A node whose tree
 * still has one of these roots needs nothing but the entries of these paths.
 */
import { limits } from '../../base/limits.js'
import { sameDigest } from './manifest.js'

interface Step {
  /** Before the change. */
  readonly root: Uint8Array
  readonly paths: ReadonlySet<string>
}

export class RecentChanges {
  /** The oldest first. */
  #steps: Step[] = []
  #paths: ReadonlySet<string> = new Set()

  /** Roots that the tree had, the oldest first. At most limits.announcedRootsMax. */
  get roots(): readonly Uint8Array[] {
    return this.#steps.map(({ root }) => root)
  }

  /** At most limits.announcedFilesMax. */
  get paths(): ReadonlySet<string> {
    return this.#paths
  }

  /** How many changes were made since the tree had this root; all that are known when it is not one of the roots. */
  countSince(root: Uint8Array | undefined): number {
    const at = root ? this.#steps.findLastIndex((step) => sameDigest(step.root, root)) : -1
    return this.#steps.length - Math.max(0, at)
  }

  /** This many of them. */
  last(count: number): RecentChanges {
    const last = new RecentChanges()
    last.#steps = this.#steps.slice(this.#steps.length - count)
    last.#join()
    return last
  }

  /** The tree that had this root changed in no other paths than these. Older changes are dropped when they are too many together. */
  add(root: Uint8Array, paths: Iterable<string>): void {
    this.#steps.push({ root, paths: new Set(paths) })
    while (this.#steps.length > limits.announcedRootsMax || this.#join() > limits.announcedFilesMax) this.#steps.shift()
  }

  /** The tree changed in ways that are not known. */
  forget(): void {
    this.#steps = []
    this.#join()
  }

  #join(): number {
    this.#paths = new Set(this.#steps.flatMap(({ paths }) => [...paths]))
    return this.#paths.size
  }
}
