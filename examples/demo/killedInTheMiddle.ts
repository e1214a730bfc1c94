/** The demo's act in which a worker dies by kill -9 while a large change comes in, and its next start repairs. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashList } from './managerFiles.js'
import { replaceBelow, writeBelow } from './nodeHome.js'
import { SizeWatch, sizeIn } from './sizeWatch.js'
import { type Act, inMs, type Stage } from './stage.js'
import { waitFor } from './waitFor.js'

const paths = Array.from({ length: 32 }, (_, index) => `etc/lists/hashes/feed-${String(index + 1).padStart(2, '0')}`)
const oldRows = 500
const newRows = 60_000
/** How many files have come in whole when the worker is killed. */
const stagedAtKill = 4
const attemptsMax = 3

const digestOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

/** Path to digest. All contents are made before the first is written, so that they come to the workers in few syncs. */
const writeAllOnMaster = ({ cluster }: Stage, rows: number): ReadonlyMap<string, string> => {
  const contents = paths.map((path) => ({ path, content: hashList(rows) }))
  for (const { content, path } of contents) replaceBelow(cluster.masterHome, path, content)
  return new Map(contents.map(({ content, path }) => [path, digestOf(content)]))
}

const digestIn = (path: string): string => (existsSync(path) ? digestOf(readFileSync(path)) : 'absent')

/** Contents that have come in whole and wait to be renamed into place. */
const staged = (home: string, name: string): number => {
  try {
    return readdirSync(join(home, 'queue/cluster', name)).filter((file) => /^[0-9a-f]{64}$/.test(file)).length
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
}

interface Killed {
  /** Files that were new at the kill; all of them when the worker was too fast to be caught. */
  readonly renewed: number
  readonly watch: SizeWatch
}

const killDuringSync = async (stage: Stage): Promise<Killed> => {
  const { cluster, signal } = stage
  const home = cluster.home('worker-1')
  const before = writeAllOnMaster(stage, oldRows)
  const haveSmallLists = (): boolean =>
    cluster.workers.every((name) => [...before].every(([path, digest]) => digestIn(join(cluster.home(name), path)) === digest))
  await waitFor('The small lists on both workers', haveSmallLists, { everyMs: 20, signal })
  const oldSize = sizeIn(home, paths[0] ?? '')
  const after = writeAllOnMaster(stage, newRows)
  const watch = new SizeWatch(paths, { oldSize, newSize: sizeIn(cluster.masterHome, paths[0] ?? '') })
  const isInTheMiddle = (): boolean => {
    watch.renewed(cluster.home('worker-2'))
    return watch.renewed(home) > 0 || staged(home, 'worker-1') >= stagedAtKill
  }
  await waitFor('The worker in the middle of the sync', isInTheMiddle, { everyMs: 1, signal })
  await cluster.daemon('worker-1').kill()
  for (const path of paths) {
    const digest = digestIn(join(home, path))
    if (digest !== before.get(path) && digest !== after.get(path)) throw new Error(`${path} is neither old nor new after kill -9`)
  }
  return { renewed: watch.renewed(home), watch }
}

/** Resolves with the milliseconds from the worker's next start until it has what the master has. */
const repaired = async ({ cluster, signal }: Stage, watch: SizeWatch): Promise<number> => {
  const home = cluster.home('worker-1')
  const extra = 'etc/lists/hashes/while-it-was-down'
  writeBelow(home, extra, 'x:y\n')
  const startMs = performance.now()
  cluster.start('worker-1')
  const haveAll = (): boolean => {
    const renewed = cluster.workers.map((name) => watch.renewed(cluster.home(name)))
    return renewed.every((count) => count === paths.length) && sizeIn(home, extra) < 0
  }
  await waitFor('worker-1 repaired by its next start', haveAll, { everyMs: 1, signal })
  const tookMs = performance.now() - startMs
  for (const name of cluster.workers)
    for (const path of paths)
      if (digestIn(join(cluster.home(name), path)) !== digestIn(join(cluster.masterHome, path)))
        throw new Error(`${path} on ${name} is not the master's after the repair`)
  return tookMs
}

export const killedInTheMiddle: Act = {
  title: 'A worker is killed -9 in the middle of a sync',
  play: async (stage) => {
    const { cluster, say, proved } = stage
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      say(`${paths.length} CDB lists on the master grow from 20 KB to 2.4 MB each; worker-1 is killed while they come in`)
      const { renewed, watch } = await killDuringSync(stage)
      if (renewed < paths.length) {
        const waiting = staged(cluster.home('worker-1'), 'worker-1')
        say(
          `at the kill ${renewed} of ${paths.length} files were new and ${paths.length - renewed} old; content of ${waiting} more waited whole`,
        )
        const tookMs = await repaired(stage, watch)
        proved(`a worker killed -9 in the middle of a sync of 77 MB was repaired ${inMs(tookMs)} after its next start`)
        proved(`each file was old or new in all ${watch.checks} checks, never partial`)
        return
      }
      say('it was done already: once more')
      await cluster.start('worker-1').logged('Successfully connected to master')
    }
    throw new Error('the worker was never caught in the middle of its sync')
  },
}
