/**
 * Which file wins is decided here. The master's tree is the truth; a worker creates what it lacks, updates what differs and
 * deletes what the master does not have. Excluded names never come this far: they are in no manifest.
 */
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { decodeEntries, type EntryColumns, encodeEntries, entryWireBytes, joinPaths, splitPaths } from './entryColumns.js'
import type { Entries } from './entryList.js'
import type { Manifest } from './manifest.js'
import { bucketOf, partCount, partIndexOf } from './pathHash.js'
import { checkPath } from './paths.js'
import { itemOf, type SyncedItems } from './syncedItems.js'
import type { FileEntry, WriteStep } from './treeValues.js'

export interface SyncPlan {
  readonly create: Entries
  readonly update: Entries
  readonly remove: readonly string[]
}

export const emptyPlan: SyncPlan = { create: [], update: [], remove: [] }
export const isEmptyPlan = (plan: SyncPlan): boolean => plan.create.length + plan.update.length + plan.remove.length === 0
/**
 * What makes the worker's files the master's. Held files (unreadable on the master) are left as the worker has them.
 *
 * @param isUnknown of paths about which the master can say nothing, because a directory above them is missing or unreadable there
 */
export const decidePlan = (
  master: ReadonlyMap<string, FileEntry>,
  worker: ReadonlyMap<string, FileEntry>,
  isUnknown: (path: string) => boolean = () => false,
): SyncPlan => {
  const create: FileEntry[] = []
  const update: FileEntry[] = []
  const remove: string[] = []
  for (const wanted of master.values()) {
    if (wanted.held) continue
    const present = worker.get(wanted.path)
    if (!present) create.push(wanted)
    else if (present.digest !== wanted.digest || present.mode !== wanted.mode) update.push(wanted)
  }
  for (const path of worker.keys()) if (!master.has(path) && !isUnknown(path)) remove.push(path)
  return { create, update, remove }
}

/** Whether one of the directories is on the way from the item's own directory, which counts too, to the file. */
export const isBelowUnknown = (unknown: ReadonlySet<string>, synced: SyncedItems, path: string): boolean => {
  if (unknown.size === 0) return false
  const top = itemOf(synced, path)?.dir ?? path
  for (let end = path.lastIndexOf('/'); end >= top.length; end = path.lastIndexOf('/', end - 1))
    if (unknown.has(path.slice(0, end))) return true
  return false
}

/** What trees are compared by: whole buckets, or parts of them where a bucket is large. */
export interface Division {
  readonly what: 'bucket' | 'part'
  indexOf(path: string): number
  /** Of the bucket itself, or that the part is in. */
  bucketOf(index: number): number
  entriesIn(manifest: Manifest, index: number): readonly FileEntry[]
}

export const byBucket: Division = {
  what: 'bucket',
  indexOf: bucketOf,
  bucketOf: (index) => index,
  entriesIn: (manifest, index) => manifest.entriesIn(index),
}

export const byPart: Division = {
  what: 'part',
  indexOf: partIndexOf,
  bucketOf: (index) => Math.floor(index / partCount),
  entriesIn: (manifest, index) => manifest.part(index),
}

/** A worker's question about some of its buckets or parts, as `integrity.compare` and `integrity.compareParts` carry it. */
export interface CompareQuestion {
  readonly places: readonly number[]
  /** How many of the entries belong to each place. */
  readonly counts: readonly number[]
  readonly entries: EntryColumns
}

export interface CompareAnswer {
  readonly decided: number
  readonly create: EntryColumns
  readonly update: EntryColumns
  readonly remove: string
}

const tooManyAlike = (what: string, files: number): Result<never> =>
  refuse('tooLarge', {
    message: `One ${what} of the synced tree has ${files} files with paths that are too long to be compared in one message`,
  })

/** Fills one question with as many of `places` as fit, at least one. */
export const askAbout = (manifest: Manifest, places: readonly number[], division: Division = byBucket): Result<CompareQuestion> => {
  const asked: number[] = []
  const counts: number[] = []
  const entries: FileEntry[] = []
  const buckets = new Set<number>()
  let bytes = 0
  for (const index of places) {
    buckets.add(division.bucketOf(index))
    if (division === byPart && (buckets.size > limits.comparedPartsBucketsMax || asked.length === limits.comparedPartsMax)) break
    const own = division.entriesIn(manifest, index)
    const ownBytes = own.reduce((sum, entry) => sum + entryWireBytes(entry), 0)
    const fits = bytes + ownBytes <= limits.compareBytesMax && entries.length + own.length <= limits.compareEntriesMax
    if (!fits && asked.length === 0) return tooManyAlike(division.what, own.length)
    if (!fits) break
    asked.push(index)
    counts.push(own.length)
    entries.push(...own)
    bytes += ownBytes
  }
  return ok({ places: asked, counts, entries: encodeEntries(entries) })
}

/** The master's decision on the first places of a question, as many as fit into one answer, at least one. */
export const answerCompare = (
  master: Manifest,
  synced: SyncedItems,
  question: CompareQuestion,
  division: Division = byBucket,
): Result<{ answer: CompareAnswer; plan: SyncPlan }> => {
  const { places } = question
  if (places.length !== question.counts.length)
    return refuse('malformed', { message: `A comparison must have one count for each ${division.what}` })
  if (places.length === 0 || new Set(places).size !== places.length)
    return refuse('malformed', { message: `A comparison names at least one ${division.what}, and none twice` })
  // Each bucket costs a few milliseconds before its parts are known.
  if (division === byPart && new Set(places.map(byPart.bucketOf)).size > limits.comparedPartsBucketsMax)
    return refuse('malformed', { message: `A comparison is about parts of at most ${limits.comparedPartsBucketsMax} buckets` })
  const decoded = decodeEntries(question.entries, synced)
  if (!decoded.ok) return decoded
  if (question.counts.reduce((sum, count) => sum + count, 0) !== decoded.value.length)
    return refuse('malformed', { message: 'The counts of a comparison do not add up to its entries' })
  const isUnknown = (path: string): boolean => isBelowUnknown(master.unknownDirectories, synced, path)
  const create: FileEntry[] = []
  const update: FileEntry[] = []
  const remove: string[] = []
  let decided = 0
  let bytes = 0
  let start = 0
  for (const [position, index] of places.entries()) {
    const end = start + (question.counts[position] ?? 0)
    const theirs = byPath(decoded.value.slice(start, end))
    if (theirs.size !== end - start || [...theirs.keys()].some((path) => division.indexOf(path) !== index))
      return refuse('malformed', { message: `An entry is in a ${division.what} that is not its own` })
    const ours = division.entriesIn(master, index)
    const plan = decidePlan(byPath(ours), theirs, isUnknown)
    const planBytes = planWireBytes(plan)
    if (planBytes > limits.compareBytesMax) return tooManyAlike(division.what, ours.length)
    if (bytes + planBytes > limits.compareBytesMax) break
    create.push(...plan.create)
    update.push(...plan.update)
    remove.push(...plan.remove)
    decided += 1
    bytes += planBytes
    start = end
  }
  const answer = { decided, create: encodeEntries(create), update: encodeEntries(update), remove: joinPaths(remove) }
  return ok({ answer, plan: { create, update, remove } })
}

const byPath = (entries: readonly FileEntry[]): ReadonlyMap<string, FileEntry> => new Map(entries.map((entry) => [entry.path, entry]))

const planWireBytes = (plan: SyncPlan): number =>
  [...plan.create, ...plan.update].reduce((sum, entry) => sum + entryWireBytes(entry), 0) +
  plan.remove.reduce((sum, path) => sum + Buffer.byteLength(path) + 1, 0)

/** The worker's reading of an answer: the master is trusted with content, never with paths. */
export const readAnswer = (answer: CompareAnswer, synced: SyncedItems): Result<SyncPlan> => {
  const create = decodeEntries(answer.create, synced)
  if (!create.ok) return create
  const update = decodeEntries(answer.update, synced)
  if (!update.ok) return update
  const remove = splitPaths(answer.remove)
  for (const path of remove) {
    const checked = checkPath(synced, path)
    if (!checked.ok) return checked
  }
  const touched = new Set([...create.value.map((entry) => entry.path), ...update.value.map((entry) => entry.path), ...remove])
  if (touched.size !== create.value.length + update.value.length + remove.length)
    return refuse('malformed', { message: 'The master decided twice on one path' })
  return ok({ create: create.value, update: update.value, remove })
}

/** Where the contents of a tree are. */
type Contents = Pick<Manifest, 'pathWith'>

/** The tree as it will be once these files are written. */
export const withWrites = (tree: Contents, writes: readonly WriteStep[]): Contents => {
  if (writes.length === 0) return tree
  const written = new Map(writes.map(({ digest, path }) => [digest, path]))
  const changed = new Set(writes.map(({ path }) => path))
  return {
    pathWith: (digest) => {
      const path = tree.pathWith(digest)
      return written.get(digest) ?? (path !== undefined && changed.has(path) ? undefined : path)
    },
  }
}

/**
 * How the worker comes by each file: content that one of its paths has is copied, and the rest is fetched, each content once.
 * A file of which only the mode differs is such a copy, of itself: another name of it, outside the tree, keeps its mode.
 */
export const writeStepsOf = (plan: Pick<SyncPlan, 'create' | 'update'>, worker: Contents): WriteStep[] =>
  [...plan.create, ...plan.update].map(({ path, digest }) => {
    const twin = worker.pathWith(digest)
    return twin === undefined ? { path, digest, from: { kind: 'stage' } } : { path, digest, from: { kind: 'copy', path: twin } }
  })
