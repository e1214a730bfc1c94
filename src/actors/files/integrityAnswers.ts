/**
 * The master's answers to one worker's integrity questions. It keeps nothing of a round but what operators want to see
 * (domain/cluster/workerState), so a worker can stop, lie or repeat itself at any point without harm.
 */

import { counted } from '../../base/counted.js'
import { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { logSeconds } from '../../base/logText.js'
import type { WorkerState } from '../../domain/cluster/workerState.js'
import { decodeRanges } from '../../domain/files/content/contentRecipe.js'
import { diskWritesOf } from '../../domain/files/content/syncPace.js'
import { splitDigests, splitPaths } from '../../domain/files/entryColumns.js'
import { differingDigests, sameDigest } from '../../domain/files/manifest.js'
import { answerParts } from '../../domain/files/partsQuestion.js'
import { checkPath } from '../../domain/files/paths.js'
import { answerCompare, byPart, type CompareAnswer, type CompareQuestion, type Division } from '../../domain/files/syncPlan.js'
import { type ContentRequest, isPassing } from '../../domain/files/treeValues.js'
import type { Handlers, Link, OutgoingStream } from '../../ports/link.js'
import type { Clock, Log } from '../../ports/machine.js'
import type { RequestBody } from '../../wire/muster/messages.js'
import type { RunningAnswers } from '../kit/runningAnswers.js'
import type { ServingEnd } from '../kit/servingThread.js'
import { ItemsRefusals } from './itemsRefusal.js'
import type { LocalTree } from './localTree.js'
import { partsCapability } from './treeComparison.js'

export interface IntegrityAnswersInput {
  readonly link: Link
  readonly state: WorkerState
  /** Tagged with the worker's name. */
  readonly log: Log
}

export interface CountedTransfers {
  /** Of this worker, over all restarts of the thread. */
  readonly transfers: RunningAnswers
}

/** What the worker has had answered and has done, for those who count it. */
export interface ServedIntegrity {
  checked(tookMs: number): void
  applied(report: RequestBody<'integrity.report'>): void
}

export interface IntegrityAnswersOptions {
  readonly tree: LocalTree
  readonly clock: Clock
  readonly served?: ServedIntegrity
}

export const integrityAnswers = (
  { clock, served, tree }: IntegrityAnswersOptions,
  { link, log, state, transfers }: IntegrityAnswersInput & CountedTransfers,
  thread: ServingEnd,
): Handlers => {
  const { signal } = thread
  const checkLog = log.at({ subtag: 'Integrity check' })
  const syncLog = log.at({ subtag: 'Integrity sync' })
  const itemsRefusals = new ItemsRefusals(tree.synced, link, state, checkLog)
  /** Why no check is answered, as the log has it. */
  let loggedRefusal = ''
  /** Of the failures, as the log has them: the same ones are not logged again. */
  let loggedFailures = ''

  const refused = (error: ClusterError): ClusterError => {
    state.refused(error.code, error.message)
    if (error.message !== loggedRefusal) checkLog.error(error.message)
    loggedRefusal = error.message
    return error
  }
  const logStart = ({ created, removed, updated }: RequestBody<'integrity.report'>): void => {
    syncLog.info('Starting.') // as Wazuh writes it
    // As Wazuh writes it.
    syncLog.info(`Files to create in worker: ${created} | Files to update in worker: ${updated} | Files to delete in worker: ${removed}`)
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
      return { differing, files: differing.map((index) => tree.manifest.bucket(index).size) }
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
    'integrity.report': (report) => {
      if (report.phase === 'started') {
        state.sync.begin(clock.now())
        logStart(report)
        return {}
      }
      // What was announced begins without a report.
      if (!state.sync.isUnderWay) logStart(report)
      state.applied(report.failures, report.failuresLeftOut, diskWritesOf(report.diskWrites))
      state.sync.add({ missing: report.created, shared: report.updated, extra: report.removed })
      state.sync.end(clock.now(), report.tookMs)
      syncLog.info(`Finished in ${logSeconds(report.tookMs)}.`) // as Wazuh writes it
      served?.applied(report)
      const lasting = report.failures.filter((failure) => !isPassing(failure))
      const [example] = lasting
      const says = example
        ? `${counted(lasting.length + report.failuresLeftOut, 'file')} could not be synced, among them '${example.path}': ${example.message}`
        : ''
      if (says !== '' && says !== loggedFailures) syncLog.error(`${says} Retrying at each check; see cluster_control -f.`)
      loggedFailures = says
      if (!report.root) return {}
      const same = sameDigest(report.root, tree.manifest.root())
      if (same) state.checkedSame(clock.now(), tree.manifest.root())
      return { same }
    },
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
