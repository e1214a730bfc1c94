/** Which files are synced: directories with rules, and names that are never touched. The defaults are those of Wazuh. */
import { createHash } from 'node:crypto'

export interface SyncedItem {
  /** Relative to the home, without a slash at the end: `etc/shared`. */
  readonly dir: string
  readonly files: 'all' | readonly string[]
  /** Permission bits that every node gives the files. */
  readonly mode: number
  readonly recursive: boolean
  readonly removeEmptyDirectories: boolean
  /** A change asks for a reload of the manager. */
  readonly reload: boolean
}

export interface SyncedItems {
  readonly items: readonly SyncedItem[]
  readonly excludedNames: readonly string[]
  readonly excludedEndings: readonly string[]
}

const rules = (dir: string): SyncedItem => ({
  dir,
  files: 'all',
  mode: 0o660,
  recursive: true,
  removeEmptyDirectories: false,
  reload: true,
})

export const defaultSyncedItems: SyncedItems = {
  items: [
    { dir: 'etc', files: ['client.keys'], mode: 0o640, recursive: false, removeEmptyDirectories: false, reload: false },
    { dir: 'etc/shared', files: 'all', mode: 0o660, recursive: true, removeEmptyDirectories: true, reload: false },
    { dir: 'var/multigroups', files: ['merged.mg'], mode: 0o660, recursive: true, removeEmptyDirectories: true, reload: false },
    rules('etc/rules'),
    rules('etc/decoders'),
    rules('etc/lists'),
    rules('etc/sca'),
  ],
  excludedNames: ['ar.conf', 'ossec.conf'],
  excludedEndings: ['~', '.tmp', '.lock', '.swp', '.swo', '.swx'],
}

export const isExcluded = (synced: SyncedItems, fileName: string): boolean =>
  synced.excludedNames.includes(fileName) || synced.excludedEndings.some((ending) => fileName.endsWith(ending))

/** The item that a path belongs to, or undefined when it is not synced: the deepest item directory decides. */
export const itemOf = (synced: SyncedItems, path: string): SyncedItem | undefined => {
  let found: SyncedItem | undefined
  for (const item of synced.items) if (path.startsWith(`${item.dir}/`) && (!found || item.dir.length > found.dir.length)) found = item
  if (!found) return undefined
  const below = path.slice(found.dir.length + 1)
  const fileName = path.slice(path.lastIndexOf('/') + 1)
  if (!found.recursive && below.includes('/')) return undefined
  if (found.files !== 'all' && !found.files.includes(fileName)) return undefined
  return isExcluded(synced, fileName) ? undefined : found
}

/** The mode that most of the items give their files. */
export const commonMode = ({ items }: SyncedItems): number => {
  const counts = new Map<number, number>()
  for (const { mode } of items) counts.set(mode, (counts.get(mode) ?? 0) + 1)
  const [most] = [...counts].sort(([, a], [, b]) => b - a)
  return most?.[0] ?? 0o600
}

/** The same on two nodes exactly when they sync the same files with the same rules. */
export const itemsDigest = (synced: SyncedItems): Uint8Array => createHash('sha256').update(itemsText(synced)).digest()

/** All that two nodes must have in common, in an order of its own. */
export const itemsText = (synced: SyncedItems): string =>
  JSON.stringify([
    [...synced.items]
      .sort((a, b) => (a.dir < b.dir ? -1 : 1))
      .map((item) => [
        item.dir,
        item.files === 'all' ? 'all' : [...item.files].sort(),
        item.mode,
        item.recursive,
        item.removeEmptyDirectories,
      ]),
    [...synced.excludedNames].sort(),
    [...synced.excludedEndings].sort(),
  ])
