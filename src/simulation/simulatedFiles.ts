/** The Files port of a simulated node: the same code as the real one's, called inline after a little virtual time. */
import { asClusterError, ClusterError } from '../errors.js'
import type { Clock, Disk, Files } from '../ports.js'
import { type CreateTreeOptions, createTree } from '../tree/tree.js'
import { hintOf } from '../tree/treeHints.js'
import type { DiskChanges } from './memoryDisk.js'

export interface SimulatedFilesOptions extends CreateTreeOptions {
  /** Where the watcher hears of changes; without it nothing is hinted, and only the periodic look finds them. */
  readonly changes?: DiskChanges
  /** Of each call. */
  readonly delayMs?: number
  /** From a change to its hint. */
  readonly hintDelayMs?: number
}

const hintsMax = 1_000

export const createSimulatedFiles = (disk: Disk, clock: Clock, options: SimulatedFilesOptions): Files => {
  const { delayMs = 0.1, hintDelayMs = 50 } = options
  const tree = createTree(disk, options)
  const closers = new Set<() => void>()
  const timers = new Map<unknown, () => void>()
  let isClosed = false

  const later = (act: () => void, ms: number, onClosed: () => void): void => {
    const timer = clock.setTimeout(() => {
      timers.delete(timer)
      act()
    }, ms)
    timers.set(timer, onClosed)
  }

  const closed = (): ClusterError => new ClusterError('aborted', { message: 'The files are closed' })

  const call = <T>(signal: AbortSignal | undefined, work: () => T): Promise<T> =>
    new Promise((resolve, reject) => {
      if (isClosed) {
        reject(closed())
        return
      }
      const act = (): void => {
        try {
          if (signal?.aborted) throw new ClusterError('aborted', { cause: signal.reason })
          resolve(work())
        } catch (thrown) {
          reject(asClusterError(thrown, thrown instanceof Error && 'code' in thrown ? 'fileFailed' : 'internal'))
        }
      }
      later(act, delayMs, () => reject(closed()))
    })

  const watch = (changes: DiskChanges, onHint: (paths: readonly string[] | undefined) => void): (() => void) => {
    let hints = new Set<string>()
    const tell = (): void => {
      const told = hints
      hints = new Set()
      if (closers.has(close)) onHint(told.size > hintsMax ? undefined : [...told])
    }
    const stop = changes.onChange((path) => {
      if (!path.startsWith(`${options.home}/`)) return
      const hint = hintOf(options.synced, path.slice(options.home.length + 1))
      if (hint === undefined) return
      if (hints.size === 0) later(tell, hintDelayMs, () => undefined)
      hints.add(hint)
    })
    const close = (): void => {
      closers.delete(close)
      stop()
    }
    closers.add(close)
    return close
  }

  return {
    scan: (paths, signal) => call(signal, () => tree.scan(paths)),
    nextPage: () => call(undefined, () => tree.nextPage()),
    read: (request, signal) => call(signal, () => tree.read(request)),
    staged: (digests, signal) => call(signal, () => tree.staged(digests)),
    stage: (block, digests, signal) => call(signal, () => tree.stage(block, (file) => digests[file])),
    apply: (plan, signal) => call(signal, () => tree.apply(plan)),
    clearStage: (signal) => call(signal, () => tree.clearStage()),
    watch: (onHint) => {
      const close = options.changes ? watch(options.changes, onHint) : (): void => undefined
      return Promise.resolve({
        close: () => {
          close()
          return Promise.resolve()
        },
      })
    },
    close: () => {
      isClosed = true
      for (const close of [...closers]) close()
      for (const [timer, onClosed] of timers) {
        clock.clearTimeout(timer)
        onClosed()
      }
      timers.clear()
      tree.close()
      return Promise.resolve()
    },
  }
}
