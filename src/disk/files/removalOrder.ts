/** Which deletions of a plan must come before its writes: those that are in their way. All others come last. */
import type { SyncedItem } from '../../domain/files/syncedItems.js'
import { parentOf } from './relativePath.js'

export interface Removal {
  readonly path: string
  readonly item: SyncedItem
}

function* ancestorsOf(path: string): Generator<string> {
  for (let parent = parentOf(path); parent !== ''; parent = parentOf(parent)) yield parent
}

export const hasAncestorIn = (path: string, paths: ReadonlySet<string>): boolean => {
  if (paths.size > 0) for (const ancestor of ancestorsOf(path)) if (paths.has(ancestor)) return true
  return false
}

/** Files where a write needs a directory, and files below a path that is to become a file. */
export const blockingRemovals = (removals: readonly Removal[], writes: readonly { readonly path: string }[]): ReadonlySet<string> => {
  const written = new Set(writes.map((write) => write.path))
  const needed = new Set<string>()
  for (const { path } of writes) {
    for (const ancestor of ancestorsOf(path)) {
      if (needed.has(ancestor)) break
      needed.add(ancestor)
    }
  }
  return new Set(removals.filter(({ path }) => needed.has(path) || hasAncestorIn(path, written)).map(({ path }) => path))
}
