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
  const { differing } = await link.request('integrity.buckets', { digests }, options)
  const knowsParts = link.peer.capabilities.includes(partsCapability)
  // Of a bucket of which this node has little, nearly every part differs: only when it is too large to be decided on whole, it is divided.
  const isDivided = (index: number): boolean => knowsParts && isInParts(manifest.filesIn(index))
  const whole = differing.filter((index) => !isDivided(index))
  const plan: GrowingPlan = { create: new EntryList(), update: new EntryList(), remove: [] }
  const tooLarge = await decide(plan, tree, whole, byBucket, ({ places, ...question }) =>
    link.request('integrity.compare', { ...question, buckets: places }, options),
  )
  if (tooLarge && !knowsParts) throw tooLarge.error
  for (let open = [...(tooLarge?.places ?? []), ...differing.filter(isDivided)]; open.length > 0; ) {
    const question = askForParts(manifest, open)
    const { buckets } = question
    open = open.slice(buckets.length)
    const answer = await link.request('integrity.parts', { ...question, buckets: [...buckets] }, options)
    const refused = await decide(plan, tree, unwrap(readParts(buckets, answer.differing)), byPart, ({ places, ...asked }) =>
      link.request('integrity.compareParts', { ...asked, parts: places }, options),
    )
    if (refused) throw refused.error
  }
  return plan
}

interface GrowingPlan {
  readonly create: EntryList
  readonly update: EntryList
  readonly remove: string[]
}

type Asked = Omit<CompareQuestion, 'places' | 'counts'> & { places: number[]; counts: number[] }

/**
 * Adds what is decided about these buckets or parts, question by question. Returns those that are left when one is too large for a
 * message.
 */
const decide = async (
  plan: GrowingPlan,
  { manifest, synced }: Tree,
  places: readonly number[],
  division: Division,
  ask: (question: Asked) => Promise<CompareAnswer>,
): Promise<{ readonly places: readonly number[]; readonly error: ClusterError } | undefined> => {
  for (let open = places; open.length > 0; ) {
    const { counts, entries, places: asked } = unwrap(askAbout(manifest, open, division))
    let answer: CompareAnswer
    try {
      answer = await ask({ places: [...asked], counts: [...counts], entries })
    } catch (thrown) {
      if (thrown instanceof ClusterError && thrown.code === 'tooLarge') return { places: open, error: thrown }
      throw thrown
    }
    if (answer.decided < 1 || answer.decided > asked.length)
      throw new ClusterError('malformed', { message: 'The master decided on more or less than it was asked about' })
    const decided = unwrap(readAnswer(answer, synced))
    for (const entry of decided.create) plan.create.add(entry)
    for (const entry of decided.update) plan.update.add(entry)
    plan.remove.push(...decided.remove)
    open = open.slice(answer.decided)
  }
  return undefined
}

const unwrap = <T>(result: Result<T>): T => {
  if (!result.ok) throw result.error
  return result.value
}
