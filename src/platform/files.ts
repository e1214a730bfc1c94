/**
 * The real Files port: all work with the disk happens in two threads, one that looks and applies, and one that reads and
 * stages content, so that neither the event loop nor the other waits for it.
 */
import { filesInBlock } from '../domain/contentBlock.js'
import type { ContentRequest, Digest } from '../domain/tree.js'
import { ClusterError } from '../errors.js'
import type { Files } from '../ports.js'
import type { CreateTreeOptions } from '../tree/tree.js'
import { DiskThread, defaultWorkerFile } from './diskThreads.js'
import { type Watcher, watchTree } from './watcher.js'

export interface CreateFilesOptions extends CreateTreeOptions {
  /** The compiled diskWorker; the one beside this file when left out. */
  readonly workerFile?: URL
}

/** So many files of a request go to the thread at a time: a request is copied for each block that is read. */
const filesPerReadMax = 128

const assertGoing = (signal: AbortSignal): void => {
  if (signal.aborted) throw new ClusterError('aborted', { cause: signal.reason })
}

/**
 * An aborted call fails with `aborted` if it has not begun; a look or a plan that has begun is finished and answered all the
 * same, because its answer is the only account of what changed.
 */
export const createFiles = ({ workerFile = defaultWorkerFile, ...options }: CreateFilesOptions): Files => {
  const treeThread = new DiskThread(options, workerFile)
  const contentThread = new DiskThread(options, workerFile)
  const watchers = new Set<Watcher>()
  return {
    scan: async (paths, signal) => {
      assertGoing(signal)
      return treeThread.run('scan', paths)
    },
    nextPage: () => treeThread.run('nextPage', undefined),
    apply: async (plan, signal) => {
      assertGoing(signal)
      return treeThread.run('apply', { writes: plan.writes, removals: plan.removals })
    },
    read: async (request, signal) => {
      assertGoing(signal)
      const { block, from } = await contentThread.run('read', { request: windowOf(request), firstFile: request.from.file })
      assertGoing(signal)
      return { block, next: nextOf(request, from) }
    },
    staged: async (digests, signal) => {
      assertGoing(signal)
      return contentThread.run('staged', digests)
    },
    stage: async (block, digests, signal) => {
      assertGoing(signal)
      // The block is a view into what came over the wire: only a copy of our own can be moved.
      const own = Uint8Array.from(block)
      return contentThread.run('stage', { block: own, digests: digestsOf(block, digests) }, [own.buffer])
    },
    clearStage: async (signal) => {
      assertGoing(signal)
      await contentThread.run('clearStage', undefined)
    },
    watch: async (onHint) => {
      const watcher = await watchTree(options.home, options.synced, onHint)
      watchers.add(watcher)
      return {
        close: async () => {
          watchers.delete(watcher)
          await watcher.close()
        },
      }
    },
    close: async () => {
      await Promise.all([...watchers].map((watcher) => watcher.close()))
      watchers.clear()
      await Promise.all([treeThread.close(), contentThread.close()])
    },
  }
}

/** The part of the request that the next block can be about. */
const windowOf = ({ compress, files, from }: ContentRequest): ContentRequest => ({
  files: files.slice(from.file, from.file + filesPerReadMax),
  from: { file: 0, offset: from.offset },
  compress,
})

const nextOf = (request: ContentRequest, from: ContentRequest['from'] | undefined): ContentRequest | undefined => {
  const start = request.from.file
  if (from) return { ...request, from: { file: start + from.file, offset: from.offset } }
  const next = request.files[start + filesPerReadMax]
  return next && { ...request, from: { file: start + filesPerReadMax, offset: next.offset } }
}

/** Only the digests that the block is about, because all of them are many. */
const digestsOf = (block: Uint8Array, digests: readonly Digest[]): ReadonlyMap<number, Digest> => {
  const files = filesInBlock(block)
  if (!files.ok) throw files.error
  const needed = new Map<number, Digest>()
  for (const file of files.value) {
    const digest = digests[file]
    if (digest !== undefined) needed.set(file, digest)
  }
  return needed
}
