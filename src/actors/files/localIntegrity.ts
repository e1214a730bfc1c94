/**
 * Local integrity: keeps a node's manifest true. It scans the whole tree at intervals, which is the truth, and at
 * single files when the watcher hints that they changed, which is fast. Once per node, on master and workers alike.
 */
import { asClusterError } from '../../base/errors.js'
import { fullStop } from '../../base/fullStop.js'
import { logSeconds } from '../../base/logText.js'
import type { TreeWatch } from '../../ports/files.js'
import type { Clock, Log } from '../../ports/machine.js'
import { periodicThread } from '../kit/periodicThread.js'
import type { LocalTree } from './localTree.js'

export interface LocalIntegrityOptions {
  readonly tree: LocalTree
  readonly clock: Clock
  readonly intervalMs: number
  readonly log: Log
  /** Called once for each scan of the whole tree, and each time that the watcher lost track. */
  readonly onScanned?: (tookMs: number) => void
  readonly onOverflow?: () => void
}

/** Hinted paths beyond this many are covered by one scan of everything. */
const hintedPathsMax = 10_000

/** While the watcher sees every change, scans take no more than a tenth of the time. */
const restPerScan = 9

interface Watch {
  watcher: TreeWatch | undefined
  /** The whole tree was scanned once. */
  isKnown: boolean
  /** When the whole tree has to be scanned again, however many hints come in between. */
  everythingAtMs: number
  /** What was hinted since the scan before. Hints are added in place: there may be thousands, and copying for each would stall. */
  due: Set<string> | 'everything'
}

const withHint = (due: Watch['due'], paths: readonly string[] | undefined): Watch['due'] => {
  if (due === 'everything' || paths === undefined || due.size + paths.length > hintedPathsMax) return 'everything'
  for (const path of paths) due.add(path)
  return due
}

export const localIntegrity = ({ tree, clock, intervalMs, log, onOverflow, onScanned }: LocalIntegrityOptions) =>
  periodicThread({
    id: 'localIntegrity',
    clock,
    everyMs: intervalMs,
    begin: (): Watch => ({ watcher: undefined, isKnown: false, everythingAtMs: 0, due: new Set() }),
    wakes: (watch, wake) => {
      let stopped = false
      const hint = (paths: readonly string[] | undefined): void => {
        watch.due = withHint(watch.due, paths)
        if (watch.due === 'everything' || watch.due.size > 0) wake()
      }
      const watching = tree.files.watch((paths) => {
        if (paths === undefined) onOverflow?.()
        hint(paths)
      })
      watching.then(
        (open) => {
          watch.watcher = open
        },
        (thrown: unknown) => {
          const { message } = asClusterError(thrown, 'fileFailed')
          if (!stopped) log.warning(`File changes cannot be watched, so they are noticed within ${intervalMs / 1000} s only: ${message}`)
        },
      )
      const stopWatching = (): void => {
        stopped = true
        void watching.then((open) => open.close()).catch(() => undefined)
      }
      return [tree.onHint(hint), stopWatching]
    },
    restMs: ({ everythingAtMs }) => Math.max(0, everythingAtMs - clock.monotonicMs()),
    initial: 'scanning',
    steps: {
      scanning: async (watch, { isWoken, signal, startMs }) => {
        // Under a constant stream of hints there is no rest in which the interval could pass: so the time decides here, too.
        const under = !isWoken || startMs >= watch.everythingAtMs ? 'everything' : watch.due
        watch.due = new Set()
        if (under === 'everything') log.info('Starting.')
        const { changed, files, lines, problems } = await tree.scan(under === 'everything' ? undefined : [...under], signal)
        if (under === 'everything') {
          const endMs = clock.monotonicMs()
          onScanned?.(endMs - startMs)
          // The first scan reads all content, so that it says nothing about the next ones.
          const isPaced = watch.isKnown && watch.watcher?.isWhole === true
          watch.everythingAtMs = endMs + (isPaced ? Math.max(intervalMs, restPerScan * (endMs - startMs)) : intervalMs)
          watch.isKnown = true
        }
        for (const { message, path } of problems) log.warning(`${message} ('${path}')`)
        for (const line of lines) log.debug(line)
        const took = `Finished in ${logSeconds(clock.monotonicMs() - startMs)}.` // as Wazuh writes it
        if (under === 'everything') log.info(`${took} Calculated metadata of ${files} files.`)
        else if (changed) log.debug(`${took} Calculated metadata of ${under.size} changed files.`)
        return 'done'
      },
    },
    onFailure: (watch, { message }) => {
      watch.due = 'everything'
      log.error(`The synced files could not be scanned: ${fullStop(message)} Trying again in ${intervalMs / 1000} s.`)
    },
    waitsOut: () => true,
  })
