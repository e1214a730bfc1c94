/**
 * The real Files port: all work with the disk happens in threads, one that scans and applies, one that reads and stages
 * content, and one for recipes and patches, so that neither the event loop nor the others wait for it. A thread is begun by
 * the first work for it, and the one for content ended when it rests: each takes a twentieth of a second of a start, and more than ten
 * megabytes.
 */
import { statfs } from 'node:fs/promises'
import { asClusterError, ClusterError } from '../../base/errors.js'
import { type TreeOperation, treeOperations } from '../../disk/files/tree.js'
import type { ContentRequest } from '../../domain/files/treeValues.js'
import type { Files, TreeWatch } from '../../ports/files.js'
import { type Answer, calledOperations, type Given } from '../../ports/operations.js'
import { assertHandles } from '../machine/nodeDisk.js'
import { DiskThread, DiskThreads, type DiskWork, defaultWorkerFile } from './diskThreads.js'
import type { DiskWorkerOptions, ReadAnswer } from './diskWorker.js'
import { movable, StageQueue } from './stageQueue.js'
import { watchTree } from './watcher.js'

export interface CreateFilesOptions extends DiskWorkerOptions {
  /** The compiled diskWorker; the one beside this file when left out. */
  readonly workerFile?: URL
  /** How long the thread for content stays when it has nothing to do; a quarter of a minute when left out. */
  readonly contentRestMs?: number
}

const defaultContentRestMs = 15_000

const workOf: Readonly<Record<TreeOperation, DiskWork>> = {
  ...{ scan: 'tree', nextPage: 'tree', wrote: 'tree', apply: 'tree' },
  ...{ staged: 'content', clearStage: 'content' },
  ...{ recipe: 'delta', beginPatch: 'delta', fillPatch: 'delta', finishPatch: 'delta', rulesetDigests: 'delta' },
}

/** This many files of a request go to the thread at a time: a request is copied for each few blocks that are read. */
const filesPerReadMax = 256

/** Blocks that were read together with one that was asked for, and the file that comes after all of them. */
interface ReadAhead {
  readonly answers: readonly ReadAnswer[]
  readonly windowEnd: number
}

const assertGoing = (signal: AbortSignal): void => {
  if (signal.aborted) throw new ClusterError('aborted', { cause: signal.reason })
}

/**
 * An aborted call fails with `aborted` if it has not begun; a scan or a plan that has begun is finished and answered all the
 * same, because its answer is the only account of what changed.
 */
export const createFiles = (given: CreateFilesOptions): Files => {
  const { contentRestMs = defaultContentRestMs, workerFile = defaultWorkerFile, ...options } = given
  assertHandles()
  const threads = new DiskThreads(() => new DiskThread(options, workerFile), contentRestMs)
  const stageQueue = new StageQueue(() => threads.of('content'))
  const watchers = new Set<TreeWatch>()
  /** By the request that continues: when the request is forgotten, so are its blocks. */
  const readAhead = new WeakMap<ContentRequest, ReadAhead>()
  const readFrom = async (request: ContentRequest): Promise<ReadAhead> => {
    const ahead = readAhead.get(request)
    readAhead.delete(request)
    if (ahead) return ahead
    const firstFile = request.from.file
    const answers = await threads.of('content').run('read', { request: windowOf(request), firstFile })
    return { answers, windowEnd: firstFile + filesPerReadMax }
  }
  const run = async <N extends TreeOperation>(name: N, given: Given<Files, N>, signal: AbortSignal) => {
    // What a scan found must not be lost on the way.
    if (name !== 'nextPage') assertGoing(signal)
    const work = workOf[name]
    if (work === 'content') await stageQueue.settled()
    const moved: ArrayBuffer[] = []
    const own = given.map((value: unknown) => {
      if (!(value instanceof Uint8Array)) return value
      const block = movable(value)
      moved.push(block.buffer)
      return block
    })
    return (await threads.of(work).run('call', { name, given: own }, moved)) as Answer<Files, N>
  }
  const operations = calledOperations<Files, TreeOperation>(treeOperations, run)
  return {
    ...operations,
    beginPatch: (start, signal) =>
      operations.beginPatch({ ...start, recipe: { ...start.recipe, chunks: movable(start.recipe.chunks) } }, signal),
    read: async (request, signal) => {
      assertGoing(signal)
      const { answers, windowEnd } = await readFrom(request)
      assertGoing(signal)
      const [answer, ...others] = answers
      if (!answer) throw new ClusterError('internal', { message: 'The thread read no block' })
      const next = nextOf(request, answer.from, windowEnd)
      if (next && others.length > 0) readAhead.set(next, { answers: others, windowEnd })
      return { block: answer.block, next }
    },
    stage: async (block, digests, signal) => {
      assertGoing(signal)
      return stageQueue.stage(block, digests, signal)
    },
    freeBytes: async (signal) => {
      assertGoing(signal)
      try {
        const { bavail, blocks, bsize } = await statfs(options.home)
        // Some file systems do not say.
        return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize
      } catch (thrown) {
        throw asClusterError(thrown, 'fileFailed')
      }
    },
    watch: async (onHint) => {
      const watcher = await watchTree(options.home, options.synced, onHint)
      watchers.add(watcher)
      return {
        get isWhole() {
          return watcher.isWhole
        },
        close: async () => {
          watchers.delete(watcher)
          await watcher.close()
        },
      }
    },
    close: async () => {
      const closing = threads.close()
      await Promise.all([...watchers].map((watcher) => watcher.close()))
      watchers.clear()
      await closing
    },
  }
}

/** The part of the request that the next blocks can be about. */
const windowOf = ({ compress, files, from }: ContentRequest): ContentRequest => ({
  files: files.slice(from.file, from.file + filesPerReadMax),
  from: { file: 0, offset: from.offset },
  compress,
})

const nextOf = (request: ContentRequest, from: ContentRequest['from'] | undefined, windowEnd: number): ContentRequest | undefined => {
  if (from) return { ...request, from }
  const next = request.files[windowEnd]
  return next && { ...request, from: { file: windowEnd, offset: next.offset } }
}
