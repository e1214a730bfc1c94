/**
 * The questions by which a worker finds where its tree differs from the master's: in which buckets, in which parts of those that are
 * large, and what the master decides about the entries there. Any difference costs what it is, however large the trees are.
 */
import { ClusterError, type Result } from '../../base/errors.js'
import { askForParts, isInParts, readParts } from '../../domain/files/partsQuestion.js'
import {
  askAbout,
  byBucket,
  byPart,
  type CompareAnswer,
  type CompareQuestion,
  type Division,
  joinPlans,
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
    link.peer.capabilities.includes(partsCapability) && isInParts(Math.max(manifest.bucket(index).size, count))
  const whole = [...filesIn].filter((bucket) => !isDivided(bucket)).map(([index]) => index)
  const plans = await decisions(tree, whole, byBucket, ({ places, ...question }) =>
    link.request('integrity.compare', { ...question, buckets: places }, options),
  )
  for (let open = [...filesIn].filter(isDivided).map(([index]) => index); open.length > 0; ) {
    const question = askForParts(manifest, open)
    const { buckets } = question
    open = open.slice(buckets.length)
    const answer = await link.request('integrity.parts', { ...question, buckets: [...buckets] }, options)
    const parts = await decisions(tree, unwrap(readParts(buckets, answer.differing)), byPart, ({ places, ...asked }) =>
      link.request('integrity.compareParts', { ...asked, parts: places }, options),
    )
    plans.push(...parts)
  }
  return joinPlans(plans)
}

type Asked = Omit<CompareQuestion, 'places' | 'counts'> & { places: number[]; counts: number[] }

/** About all of these buckets or parts, question by question. */
const decisions = async (
  { manifest, synced }: Tree,
  places: readonly number[],
  division: Division,
  ask: (question: Asked) => Promise<CompareAnswer>,
): Promise<SyncPlan[]> => {
  const plans: SyncPlan[] = []
  for (let open = places; open.length > 0; ) {
    const { counts, entries, places: asked } = unwrap(askAbout(manifest, open, division))
    const answer = await ask({ places: [...asked], counts: [...counts], entries })
    if (answer.decided < 1 || answer.decided > asked.length)
      throw new ClusterError('malformed', { message: 'The master decided on more or less than it was asked about' })
    plans.push(unwrap(readAnswer(answer, synced)))
    open = open.slice(answer.decided)
  }
  return plans
}

const unwrap = <T>(result: Result<T>): T => {
  if (!result.ok) throw result.error
  return result.value
}
