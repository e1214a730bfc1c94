/** The Files port over a simulated disk: the tree's own code, run inline, each operation answered after a little virtual time. */
import { posix } from 'node:path'
import { itemOf } from '../domain/syncedItems.js'
import { ClusterError } from '../errors.js'
import type { Clock, Disk, Files } from '../ports.js'
import { type CreateTreeOptions, createTree } from '../tree/tree.js'
import type { DiskChanges } from './memoryDisk.js'

export interface SimulatedFilesOptions extends CreateTreeOptions {
  /** How long an operation takes, in virtual milliseconds. */
  readonly operationMs?: number
  /** How long the watcher takes to notice a change, in virtual milliseconds. */
  readonly watchMs?: number
}

export const createSimulatedFiles = (disk: Disk & DiskChanges, clock: Clock, options: SimulatedFilesOptions): Files => {
  const { operationMs = 1, watchMs = 50 } = options
  const tree = createTree(disk, options)
  let isClosed = false

  const later = <T>(work: () => T, signal: AbortSignal): Promise<T> =>
    new Promise((resolve, reject) => {
      if (signal.aborted || isClosed) {
        reject(new ClusterError('aborted'))
        return
      }
      const timer = clock.setTimeout(() => {
        signal.removeEventListener('abort', abort)
        try {
          resolve(work())
        } catch (thrown) {
          reject(thrown)
        }
      }, operationMs)
      const abort = (): void => {
        clock.clearTimeout(timer)
        reject(new ClusterError('aborted'))
      }
      signal.addEventListener('abort', abort, { once: true })
    })

  return {
    scan: (paths, signal) => later(() => tree.scan(paths), signal),
    nextPage: (signal) => later(() => tree.nextPage(), signal),
    watch: async (onHint) => {
      const changed = new Set<string>()
      let timer: unknown
      const stop = disk.onChange((path) => {
        const relative = posix.relative(options.home, path)
        if (itemOf(options.synced, relative) === undefined && !options.synced.items.some((item) => relative.startsWith(item.dir))) return
        changed.add(relative)
        timer ??= clock.setTimeout(() => {
          timer = undefined
          const paths = [...changed]
          changed.clear()
          onHint(paths)
        }, watchMs)
      })
      return {
        close: async () => {
          stop()
          if (timer !== undefined) clock.clearTimeout(timer)
        },
      }
    },
    read: (request, signal) => later(() => tree.read(request), signal),
    staged: (digests, signal) => later(() => tree.staged(digests), signal),
    stage: (block, digests, signal) => later(() => tree.stage(block, (file) => digests[file]), signal),
    apply: (plan, signal) => later(() => tree.apply(plan), signal),
    clearStage: (signal) => later(() => tree.clearStage(), signal),
    close: async () => {
      isClosed = true
      tree.close()
    },
  }
}
