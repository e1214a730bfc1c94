/**
 * The master's answers to one worker's integrity questions. It keeps nothing of a round but what operators want to see
 * (domain/cluster/workerState), so a worker can stop, lie or repeat itself at any point without harm.
 */

import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { logSeconds } from '../../base/logText.js'
import type { WorkerState } from '../../domain/cluster/workerState.js'
import { decodeRanges } from '../../domain/files/content/contentRecipe.js'
import { splitDigests, splitPaths } from '../../domain/files/entryColumns.js'
import { differingDigests, sameDigest } from '../../domain/files/manifest.js'
import { answerParts } from '../../domain/files/partsQuestion.js'
import { checkPath } from '../../domain/files/paths.js'
import { answerCompare, byPart, type CompareAnswer, type CompareQuestion, type Division } from '../../domain/files/syncPlan.js'
import type { ContentRequest } from '../../domain/files/treeValues.js'
import type { Handlers, Link, OutgoingStream } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { RequestBody } from '../../wire/muster/messages.js'
import type { RunningAnswers } from '../kit/runningAnswers.js'
import type { ServingEnd } from '../kit/servingThread.js'
import { ItemsRefusals } from './itemsRefusal.js'
import type { LocalTree } from './localTree.js'
import type { SyncReport, SyncReports } from './syncReports.js'
import { partsCapability } from './treeComparison.js'

export interface IntegrityAnswersInput {
  readonly link: Link
  readonly state: WorkerState
  /** Tagged with the worker's name. */
  readonly log: Log
}

/** Of one worker, over all restarts of the thread. */
export interface OfWorker {
  readonly transfers: RunningAnswers
  readonly reports: SyncReports
}

/** What the worker has had answered and has done, for those who count it. */
export interface ServedIntegrity {
  checked(tookMs: number): void
  applied(report: SyncReport): void
}

export interface IntegrityAnswersOptions {
  readonly tree: LocalTree
  readonly clock: Clock
  readonly served?: ServedIntegrity
}

export const integrityAnswers = (
  { clock, served, tree }: IntegrityAnswersOptions,
  { link, log, reports, state, transfers }: IntegrityAnswersInput & OfWorker,
  thread: ServingEnd,
): Handlers => {
  const { signal } = thread
  const checkLog = log.at({ subtag: 'Integrity check' })
  const itemsRefusals = new ItemsRefusals(tree.synced, link, state, checkLog)
  /** Why no check is answered, as the log has it. */
  let loggedRefusal = ''

  const refused = (error: ClusterError): ClusterError => {
    state.refused(error.code, error.message)
    if (error.message !== loggedRefusal) checkLog.error(error.message)
    loggedRefusal = error.message
    return error
  }
  const decide = (question: CompareQuestion, division?: Division): CompareAnswer => {
    const decided = answerCompare(tree.manifest, tree.synced, question, division)
    if (!decided.ok) throw decided.error
    state.planned(decided.value.plan, decided.value.answer.decided)
    return decided.value.answer
  }
  const send = async (stream: OutgoingStream, first: ContentRequest): Promise<void> => {
    const content = tree.content.begin(first.files)
    // The next block is read while this one waits for the worker's window: two blocks in memory, whatever the file's size.
    let reading: ReturnType<typeof content.read> | undefined = content.read(first, stream.signal)
    try {
      while (reading) {
        const { block, next }: Awaited<typeof reading> = await reading
        reading = next && content.read(next, stream.signal)
        reading?.catch(() => undefined)
        await stream.write(block)
      }
      stream.end()
    } finally {
      // A read that nobody waits for any more is still work.
      await reading?.catch(() => undefined)
      content.end()
    }
  }
  const begin = (stream: number, request: ContentRequest): void =>
    transfers.begin({ kind: 'file', link, stream, thread, otherwise: 'transferFailed', send: (out) => send(out, request) })

  return {
    'integrity.check': async ({ root, items, files }) => {
      state.checking(clock.now())
      checkLog.info('Starting.') // as Wazuh writes it
      if (!sameDigest(items, tree.itemsDigest)) throw itemsRefusals.refuse()
      await tree.known(signal)
      if (tree.refusal) throw refused(tree.refusal)
      const same = sameDigest(root, tree.manifest.root())
      if (same) state.checkedSame(clock.now(), tree.manifest.root())
      else state.checkedDifferent()
      const { endMs, startMs } = state.check.end(clock.now())
      served?.checked(endMs - startMs)
      // As Wazuh writes it.
      checkLog.info(`Finished in ${logSeconds(endMs - startMs)}. Received metadata of ${files} files. Sync ${same ? 'not ' : ''}required.`)
      return { same }
    },
    'integrity.items': ({ items }) => ({ items: itemsRefusals.compare(items) }),
    'integrity.buckets': ({ digests }) => {
      const differing = differingDigests(tree.manifest.bucketDigests(), digests)
      state.differsIn(differing.length)
      if (!link.peer.capabilities.includes(partsCapability)) return { differing }
      return { differing, files: differing.map((index) => tree.manifest.filesIn(index)) }
    },
    'integrity.parts': (question) => {
      const differing = answerParts(tree.manifest, question)
      if (!differing.ok) throw differing.error
      state.differsInParts(question.buckets.length, differing.value.parts)
      return { differing: differing.value.bits }
    },
    'integrity.compare': ({ buckets, ...question }) => decide({ ...question, places: buckets }),
    'integrity.compareParts': ({ parts, ...question }) => decide({ ...question, places: parts }, byPart),
    'integrity.fetch': (body) => {
      state.fetched(body.compress)
      begin(body.stream, readFetch(body, tree))
      return {}
    },
    'integrity.recipe': ({ digest, path }) =>
      transfers.run(() => tree.files.recipe(checkedPath(tree, path), Buffer.from(digest).toString('hex'), signal)),
    'integrity.ranges': (body) => {
      begin(body.stream, readRanges(body, tree))
      return {}
    },
    'integrity.report': (report) => reports.take(report),
  }
}

const readFetch = (body: RequestBody<'integrity.fetch'>, tree: LocalTree): ContentRequest => {
  const paths = splitPaths(body.paths)
  const digests = splitDigests(body.digests)
  if (
    paths.length === 0 ||
    paths.length > limits.fetchFilesMax ||
    body.digests.byteLength !== paths.length * 32 ||
    body.offsets.length !== paths.length
  )
    throw new ClusterError('malformed', { message: 'A fetch must have a digest and an offset for each path, and at least one path' })
  const files = paths.map((path, index) => {
    return { path: checkedPath(tree, path), digest: digests[index] ?? '', offset: body.offsets[index] ?? 0 }
  })
  return { files, from: { file: 0, offset: files[0]?.offset ?? 0 }, compress: body.compress }
}

const readRanges = ({ compress, digest, path, ranges }: RequestBody<'integrity.ranges'>, tree: LocalTree): ContentRequest => {
  const wanted = decodeRanges(ranges)
  if (!wanted.ok) throw wanted.error
  const file = { path: checkedPath(tree, path), digest: Buffer.from(digest).toString('hex') }
  const files = wanted.value.map(({ end, start }) => ({ ...file, offset: start, end }))
  return { files, from: { file: 0, offset: files[0]?.offset ?? 0 }, compress }
}

const checkedPath = (tree: LocalTree, path: string): string => {
  const checked = checkPath(tree.synced, path)
  if (!checked.ok) throw checked.error
  return path
}
