/** The Files port of a simulated node: the same code as the real one's, called inline after a little virtual time. */

import { type CreateTreeOptions, createTree, type Tree, type TreeOperation, treeOperations } from '../../disk/files/tree.js'
import { hintOf } from '../../disk/files/treeHints.js'
import type { ScanPage } from '../../domain/files/treeValues.js'
import type { Disk, Files } from '../../ports/files.js'
import type { Clock } from '../../ports/machine.js'
import { calledOperations, type Synchronous } from '../../ports/operations.js'
import type { DiskChanges } from './memoryDisk.js'
import { SimulatedCalls } from './simulatedCalls.js'

export interface SimulatedFilesOptions extends CreateTreeOptions {
  /** Where the watcher gets changes from; without it nothing is hinted, and only the periodic scan finds them. */
  readonly changes?: DiskChanges
  /** Of each call. */
  readonly delayMs?: number
  /** From a change to its hint. */
  readonly hintDelayMs?: number
}

const hintsMax = 1_000

/**
 * After two scans of everything that found nothing a third one finds nothing either, for as long as nothing changes on the disk: most are
 * such. Two, because the second hashes again what was written shortly before the first.
 */
const scanOf = (tree: Tree, changes: DiskChanges | undefined): Tree['scan'] => {
  let nothing: { readonly version: number; readonly page: ScanPage; readonly isSettled: boolean } | undefined
  return (paths) => {
    const version = changes?.version
    const before = paths === undefined && nothing?.version === version ? nothing : undefined
    if (before?.isSettled) return before.page
    const page = tree.scan(paths)
    const found = page.upserts.length + page.removals.length + page.problems.length
    const isNothing = paths === undefined && page.done && found === 0
    nothing =
      isNothing && version !== undefined && version === changes?.version ? { version, page, isSettled: before !== undefined } : undefined
    return page
  }
}

export const createSimulatedFiles = (disk: Disk, clock: Clock, options: SimulatedFilesOptions): Files => {
  const { delayMs = 0.1, hintDelayMs = 50 } = options
  const tree = createTree(disk, options)
  const operations: Synchronous<Files, TreeOperation> = { ...tree, scan: scanOf(tree, options.changes) }
  const closers = new Set<() => void>()
  const calls = new SimulatedCalls(clock, delayMs)

  const watch = (changes: DiskChanges, onHint: (paths: readonly string[] | undefined) => void): (() => void) => {
    let hints = new Set<string>()
    const flush = (): void => {
      const flushed = hints
      hints = new Set()
      if (closers.has(close)) onHint(flushed.size > hintsMax ? undefined : [...flushed])
    }
    const stop = changes.onChange((path) => {
      if (!path.startsWith(`${options.home}/`)) return
      const hint = hintOf(options.synced, path.slice(options.home.length + 1))
      if (hint === undefined) return
      if (hints.size === 0) calls.later(flush, hintDelayMs, () => undefined)
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
    ...calledOperations<Files, TreeOperation>(treeOperations, (name, given, signal) =>
      calls.run(name === 'nextPage' ? undefined : signal, () => operations[name](...given)),
    ),
    read: (request, signal) => calls.run(signal, () => tree.read(request)),
    stage: (block, digests, signal) => calls.run(signal, () => tree.stage(block, (file) => digests[file])),
    freeBytes: () => Promise.resolve(Number.POSITIVE_INFINITY),
    watch: (onHint) => {
      const close = options.changes ? watch(options.changes, onHint) : (): void => undefined
      return Promise.resolve({
        isWhole: options.changes !== undefined,
        close: () => {
          close()
          return Promise.resolve()
        },
      })
    },
    close: () => {
      for (const close of [...closers]) close()
      calls.close()
      tree.close()
      return Promise.resolve()
    },
  }
}
