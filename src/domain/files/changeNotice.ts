/**
 * How a master announces a small change, and how a worker reads it: the entries of the paths that changed, for any worker whose tree
 * has a root that the master's had just before. Other workers compare the trees. Whether it was right shows in the worker's next
 * root, so nothing depends on it being true.
 */
import { ok, type Result } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { type EntryColumns, encodeEntries, entryWireBytes, joinPaths } from './entryColumns.js'
import type { Manifest } from './manifest.js'
import type { RecentChanges } from './recentChanges.js'
import type { SyncedItems } from './syncedItems.js'
import { decidePlan, isBelowUnknown, readAnswer, type SyncPlan } from './syncPlan.js'
import type { ContentRequest, Digest, FileEntry } from './treeValues.js'

/** Bytes of each root in `since`: two of a handful of roots do not share them, and if they did, the next root would be a wrong one. */
export const shortRootBytes = 8

export interface ChangeNotice {
  /** Of the tree now. */
  readonly root: Uint8Array
  /** The beginnings of roots that it had. Missing, like the rest, when the change was too large or not known in full. */
  readonly since?: Uint8Array
  /** Of the paths that changed since then. */
  readonly entries?: EntryColumns
  /** Those that are gone, joined by NUL. */
  readonly removed?: string
  /** Content of entries (see wire/muster/contentBlock), for a worker that takes it, and the digests of the files in it. */
  readonly content?: Uint8Array
  readonly contentDigests?: Uint8Array
}

/** What of these changes is so small that its content goes with the announcement, the newest first. */
export const announcedContent = (recent: RecentChanges, master: Manifest): ContentRequest | undefined => {
  const files: { path: string; digest: Digest; offset: number }[] = []
  let room: number = limits.announcedContentBytesMax
  for (const path of [...recent.paths].reverse()) {
    const entry = master.get(path)
    if (!entry || entry.held || entry.size > room) continue
    room -= entry.size
    files.push({ path, digest: entry.digest, offset: 0 })
  }
  return files.length === 0 ? undefined : { files, from: { file: 0, offset: 0 }, compress: true }
}

export const announceChange = (recent: RecentChanges, master: Manifest, synced: SyncedItems): ChangeNotice => {
  const root = master.root()
  const entries: FileEntry[] = []
  const removed: string[] = []
  let bytes = 0
  for (const path of recent.paths) {
    const entry = master.get(path)
    // Of a file that the master cannot read the workers keep what they have.
    if (entry?.held) continue
    if (entry) entries.push(entry)
    else if (isBelowUnknown(master.unknownDirectories, synced, path)) return { root }
    else removed.push(path)
    bytes += entry ? entryWireBytes(entry) : Buffer.byteLength(path) + 1
  }
  if (recent.roots.length === 0 || bytes > limits.announcedBytesMax) return { root }
  const since = Buffer.concat(recent.roots.map((before) => before.subarray(0, shortRootBytes)))
  return { root, since, entries: encodeEntries(entries), removed: joinPaths(removed) }
}

/** Whether a tree with this root lacks what was announced, and nothing else. */
export const isAnnouncedFor = ({ since = new Uint8Array() }: ChangeNotice, root: Uint8Array): boolean => {
  for (let start = 0; start < since.byteLength; start += shortRootBytes)
    if (Buffer.compare(since.subarray(start, start + shortRootBytes), root.subarray(0, shortRootBytes)) === 0) return true
  return false
}

/** What such a worker has to do. Refuses what the master may not say, as in an answer to a comparison. */
export const planOfNotice = ({ entries, removed = '' }: ChangeNotice, worker: Manifest, synced: SyncedItems): Result<SyncPlan> => {
  const nothing = encodeEntries([])
  const read = readAnswer({ decided: 0, create: entries ?? nothing, update: nothing, remove: removed }, synced)
  if (!read.ok) return read
  const wanted = new Map([...read.value.create].map((entry) => [entry.path, entry]))
  const present = new Map<string, FileEntry>()
  for (const path of [...wanted.keys(), ...read.value.remove]) {
    const entry = worker.get(path)
    if (entry) present.set(path, entry)
  }
  return ok(decidePlan(wanted, present))
}
