/** The demo's act in which a worker dies by kill -9 while a large change comes in, and its next start repairs. */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { hashList } from './managerFiles.js'
import { replaceBelow } from './nodeHome.js'
import { type Act, inMs, type Stage } from './stage.js'
import { waitFor } from './waitFor.js'

const paths = Array.from({ length: 32 }, (_, index) => `etc/lists/hashes/feed-${String(index + 1).padStart(2, '0')}`)
const oldRows = 500
const newRows = 60_000
/** How many files have come in whole when the worker is killed. */
const stagedAtKill = 4
const attemptsMax = 3

const digestOf = (content: string | Uint8Array): string => createHash('sha256').update(content).digest('hex')

const writeAllOnMaster = ({ cluster }: Stage, rows: number): ReadonlyMap<string, string> =>
  new Map(
    paths.map((path) => {
      const content = hashList(rows)
      replaceBelow(cluster.masterHome, path, content)
      return [path, digestOf(content)]
    }),
  )

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? -1
const digestIn = (path: string): string => (sizeOf(path) < 0 ? 'absent' : digestOf(readFileSync(path)))

/** Fails as soon as a file on the worker is neither as long as before nor as long as it will be. */
const noFileIsPartial = (home: string, oldSize: number, newSize: number): void => {
  for (const path of paths) {
    const size = sizeOf(join(home, path))
    if (size !== oldSize && size !== newSize) throw new Error(`${path} on the worker has ${size} bytes: a partial file`)
  }
}

/** Files that have come in, whole or in part, and wait to be renamed into place. */
const staged = (home: string, name: string): number => {
  try {
    return readdirSync(join(home, 'queue/cluster', name)).filter((file) => /^[0-9a-f]{64}$/.test(file)).length
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0
    throw error
  }
}

/** Resolves with the number of files that were new at the kill; all of them when the worker was too fast to be caught. */
const killDuringSync = async (stage: Stage): Promise<number> => {
  const { cluster, signal } = stage
  const home = cluster.home('worker-1')
  const before = writeAllOnMaster(stage, oldRows)
  await waitFor('The small lists on worker-1', () => [...before].every(([path, digest]) => digestIn(join(home, path)) === digest), {
    everyMs: 20,
    signal,
  })
  const oldSize = sizeOf(join(home, paths[0] ?? ''))
  const after = writeAllOnMaster(stage, newRows)
  const newSize = sizeOf(join(cluster.home('master'), paths[0] ?? ''))
  await waitFor(
    'The worker in the middle of the sync',
    () => {
      noFileIsPartial(home, oldSize, newSize)
      return staged(home, 'worker-1') >= stagedAtKill || paths.some((path) => sizeOf(join(home, path)) === newSize)
    },
    { everyMs: 1, signal },
  )
  await cluster.daemon('worker-1').kill()
  for (const path of paths) {
    const digest = digestIn(join(home, path))
    if (digest !== before.get(path) && digest !== after.get(path)) throw new Error(`${path} is neither old nor new after kill -9`)
  }
  return paths.filter((path) => digestIn(join(home, path)) === after.get(path)).length
}

export const killedInTheMiddle: Act = {
  title: 'A worker is killed -9 in the middle of a sync',
  play: async (stage) => {
    const { cluster, say, proved, signal } = stage
    const home = cluster.home('worker-1')
    const master = cluster.home('master')
    for (let attempt = 1; ; attempt++) {
      say(`${paths.length} CDB lists on the master grow from 20 KB to 2.4 MB each; worker-1 is killed while they come in`)
      const renewed = await killDuringSync(stage)
      const waiting = staged(home, 'worker-1')
      if (renewed < paths.length) {
        proved(
          `at the kill ${renewed} of ${paths.length} files were new, ${paths.length - renewed} old, ${waiting} waited whole; none was partial`,
        )
        break
      }
      if (attempt === attemptsMax) throw new Error('the worker was never caught in the middle of its sync')
      say('it was done already: once more')
      await cluster.start('worker-1').logged('Successfully connected to master')
    }
    writeFileSync(join(home, 'etc/lists/hashes/while-it-was-down'), 'x:y\n')
    const startMs = performance.now()
    cluster.start('worker-1')
    const isRepaired = (): boolean =>
      paths.every((path) => sizeOf(join(home, path)) === sizeOf(join(master, path))) &&
      sizeOf(join(home, 'etc/lists/hashes/while-it-was-down')) < 0
    await waitFor('worker-1 repaired by its next start', isRepaired, { signal })
    for (const path of paths)
      if (digestIn(join(home, path)) !== digestIn(join(master, path))) throw new Error(`${path} is not the master's after the repair`)
    proved(`its next start had everything right ${inMs(performance.now() - startMs)} after it began`)
  },
}
