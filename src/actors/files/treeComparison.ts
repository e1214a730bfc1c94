/**
 * The questions by which a worker finds where its tree differs from the master's: in which buckets, in which parts of those that are
 * large, and what the master decides about the entries there. Any difference costs what it is, however large the trees are.
 */
import { ClusterError, type Result } from '../../base/errors.js'
import { EntryList } from '../../domain/files/entryList.js'
import { askForParts, isInParts, readParts } from '../../domain/files/partsQuestion.js'
import {
  askAbout,
  byBucket,
  byPart,
  type CompareAnswer,
  type CompareQuestion,
  type Division,
  readAnswer,
  type SyncPlan,
} from '../../domain/files/syncPlan.js'
import type { Link, RequestOptions } from '../../ports/link.js'
import type { LocalTree } from './localTree.js'

/** Of a build that compares large buckets by their parts. */
export const partsCapability = 'parts'

type Tree = Pick<LocalTree, 'manifest' | 'synced'>

/** What the master decides about all that differs. Fails with `tooLarge` when that cannot be said in messages. */
export const compareTrees = async (link: Link, tree: Tree, options: RequestOptions): Promise<SyncPlan> => {
  const { manifest } = tree
  const digests = Uint8Array.from(manifest.bucketDigests())
  const { differing, files = [] } = await link.request('integrity.buckets', { digests }, options)
  const filesIn = new Map(differing.map((index, position) => [index, files[position] ?? 0]))
  const isDivided = ([index, count]: readonly [number, number]): boolean =>
    link.peer.capabilities.includes(partsCapability) && isInParts(Math.max(manifest.filesIn(index), count))
  const whole = [...filesIn].filter((bucket) => !isDivided(bucket)).map(([index]) => index)
  const plan: GrowingPlan = { create: new EntryList(), update: new EntryList(), remove: [] }
  await decide(plan, tree, whole, byBucket, ({ places, ...question }) =>
    link.request('integrity.compare', { ...question, buckets: places }, options),
  )
  for (let open = [...filesIn].filter(isDivided).map(([index]) => index); open.length > 0; ) {
    const question = askForParts(manifest, open)
    const { buckets } = question
    open = open.slice(buckets.length)
    const answer = await link.request('integrity.parts', { ...question, buckets: [...buckets] }, options)
    await decide(plan, tree, unwrap(readParts(buckets, answer.differing)), byPart, ({ places, ...asked }) =>
      link.request('integrity.compareParts', { ...asked, parts: places }, options),
    )
  }
  return plan
}

interface GrowingPlan {
  readonly create: EntryList
  readonly update: EntryList
  readonly remove: string[]
}

type Asked = Omit<CompareQuestion, 'places' | 'counts'> & { places: number[]; counts: number[] }

/** Adds what is decided about all of these buckets or parts, question by question. */
const decide = async (
  plan: GrowingPlan,
  { manifest, synced }: Tree,
  places: readonly number[],
  division: Division,
  ask: (question: Asked) => Promise<CompareAnswer>,
): Promise<void> => {
  for (let open = places; open.length > 0; ) {
    const { counts, entries, places: asked } = unwrap(askAbout(manifest, open, division))
    const answer = await ask({ places: [...asked], counts: [...counts], entries })
    if (answer.decided < 1 || answer.decided > asked.length)
      throw new ClusterError('malformed', { message: 'The master decided on more or less than it was asked about' })
    const decided = unwrap(readAnswer(answer, synced))
    for (const entry of decided.create) plan.create.add(entry)
    for (const entry of decided.update) plan.update.add(entry)
    plan.remove.push(...decided.remove)
    open = open.slice(answer.decided)
  }
}

const unwrap = <T>(result: Result<T>): T => {
  if (!result.ok) throw result.error
  return result.value
}
