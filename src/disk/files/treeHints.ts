/** What to watch, and what to scan when something happened there: the rules of the watchers, real and simulated. */
import { isExcluded, itemOf, type SyncedItems } from '../../domain/files/syncedItems.js'
import { nameOf } from './relativePath.js'

/** The fewest directories that cover all items. */
export const coveringRoots = (synced: SyncedItems): string[] => {
  const dirs = [...new Set(synced.items.map((item) => item.dir))].sort()
  return dirs.filter((dir) => !dirs.some((other) => other !== dir && dir.startsWith(`${other}/`)))
}

/**
 * The path to scan when something happened at `path`; undefined when it cannot matter. A name that is no UTF-8 cannot be
 * named, so its directory is scanned.
 */
export const hintOf = (synced: SyncedItems, path: string): string | undefined => {
  const garbled = path.indexOf('\ufffd')
  if (garbled >= 0) return path.slice(0, path.lastIndexOf('/', garbled))
  if (itemOf(synced, path)) return path
  // It may be a directory, with files below it, or an item's own.
  const mayHold = synced.items.some(
    (item) => item.dir === path || item.dir.startsWith(`${path}/`) || (item.recursive && path.startsWith(`${item.dir}/`)),
  )
  return mayHold && !isEditorsLeftover(synced, path) ? path : undefined
}

/** An excluded name that came and went is a file of an editor's; as a directory it would be found by the periodic scan. */
const isEditorsLeftover = (synced: SyncedItems, path: string): boolean => isExcluded(synced, nameOf(path))
