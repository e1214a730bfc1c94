/**
 * Who decides who wins: here. The master's tree is the truth; a worker creates what it lacks, updates what differs and
 * deletes what the master does not have. Excluded names never come this far: they are in no manifest.
 */
import { ok, type Result, refuse } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { decodeEntries, type EntryColumns, encodeEntries, entryWireBytes, joinPaths, splitPaths } from './entryColumns.js'
import { bucketOf, type Manifest } from './manifest.js'
import { checkPath } from './paths.js'
import { itemOf, type SyncedItems } from './syncedItems.js'
import type { FileEntry, WriteStep } from './treeValues.js'

export interface SyncPlan {
  readonly create: readonly FileEntry[]
  readonly update: readonly FileEntry[]
  readonly remove: readonly string[]
}

export const emptyPlan: SyncPlan = { create: [], update: [], remove: [] }
export const isEmptyPlan = (plan: SyncPlan): boolean => plan.create.length + plan.update.length + plan.remove.length === 0
export const joinPlans = (plans: readonly SyncPlan[]): SyncPlan => ({
  create: plans.flatMap((plan) => plan.create),
  update: plans.flatMap((plan) => plan.update),
  remove: plans.flatMap((plan) => plan.remove),
})

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

/** A worker's question about some of its buckets, as `integrity.compare` carries it. */
export interface CompareQuestion {
  readonly buckets: readonly number[]
  /** How many of the entries belong to each bucket. */
  readonly counts: readonly number[]
  readonly entries: EntryColumns
}

export interface CompareAnswer {
  readonly decided: number
  readonly create: EntryColumns
  readonly update: EntryColumns
  readonly remove: string
}

/** Fills one question with as many of `buckets` as fit, at least one. */
export const askAbout = (manifest: Manifest, buckets: readonly number[]): Result<CompareQuestion> => {
  const asked: number[] = []
  const counts: number[] = []
  const entries: FileEntry[] = []
  let bytes = 0
  for (const index of buckets) {
    const bucket = [...manifest.bucket(index).values()]
    const bucketBytes = bucket.reduce((sum, entry) => sum + entryWireBytes(entry), 0)
    const fits = bytes + bucketBytes <= limits.compareBytesMax && entries.length + bucket.length <= limits.compareEntriesMax
    if (!fits && asked.length === 0)
      return refuse('tooLarge', { message: `One of the 256 buckets of the synced tree holds ${bucket.length} files: too many to compare` })
    if (!fits) break
    asked.push(index)
    counts.push(bucket.length)
    entries.push(...bucket)
    bytes += bucketBytes
  }
  return ok({ buckets: asked, counts, entries: encodeEntries(entries) })
}

/** The master's decision on the first buckets of a question, as many as fit into one answer, at least one. */
export const answerCompare = (
  master: Manifest,
  synced: SyncedItems,
  question: CompareQuestion,
): Result<{ answer: CompareAnswer; plan: SyncPlan }> => {
  if (question.buckets.length !== question.counts.length)
    return refuse('malformed', { message: 'A comparison names as many buckets as counts' })
  if (question.buckets.length === 0 || new Set(question.buckets).size !== question.buckets.length)
    return refuse('malformed', { message: 'A comparison names at least one bucket, and none twice' })
  const decoded = decodeEntries(question.entries, synced)
  if (!decoded.ok) return decoded
  if (question.counts.reduce((sum, count) => sum + count, 0) !== decoded.value.length)
    return refuse('malformed', { message: 'The counts of a comparison do not add up to its entries' })
  const isUnknown = (path: string): boolean => isBelowUnknown(master.unknownDirectories, synced, path)
  const plans: SyncPlan[] = []
  let bytes = 0
  let start = 0
  for (const [position, index] of question.buckets.entries()) {
    const end = start + (question.counts[position] ?? 0)
    const theirs = new Map(decoded.value.slice(start, end).map((entry) => [entry.path, entry]))
    if (theirs.size !== end - start || [...theirs.keys()].some((path) => bucketOf(path) !== index))
      return refuse('malformed', { message: 'An entry stands in a bucket that is not its own' })
    const plan = decidePlan(master.bucket(index), theirs, isUnknown)
    const planBytes = planWireBytes(plan)
    if (planBytes > limits.compareBytesMax)
      return refuse('tooLarge', { message: 'The decision on one of the 256 buckets is too large for one message' })
    if (bytes + planBytes > limits.compareBytesMax) break
    plans.push(plan)
    bytes += planBytes
    start = end
  }
  const plan = joinPlans(plans)
  const answer = {
    decided: plans.length,
    create: encodeEntries(plan.create),
    update: encodeEntries(plan.update),
    remove: joinPaths(plan.remove),
  }
  return ok({ answer, plan })
}

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

/**
 * How the worker comes by each file: content that one of its paths has is copied, and the rest is fetched, each content once.
 * A file of which only the mode differs is such a copy, of itself: another name of it, outside the tree, keeps its mode.
 */
export const writeStepsOf = (plan: Pick<SyncPlan, 'create' | 'update'>, worker: Manifest): WriteStep[] =>
  [...plan.create, ...plan.update].map(({ path, digest }) => {
    const twin = worker.pathWith(digest)
    return twin === undefined ? { path, digest, from: { kind: 'stage' } } : { path, digest, from: { kind: 'copy', path: twin } }
  })
