/** kill -9 in the middle of a sync: at no moment is a file partial, and the next start repairs. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashList } from '../../src/demo/managerFiles.js'
import { replaceBelow } from '../../src/demo/nodeHome.js'
import type { ProcessCluster } from '../../src/demo/processCluster.js'
import { waitFor } from '../../src/demo/waitFor.js'
import { allTheSame, master, withCluster, worker } from '../support/daemons.js'

const paths = Array.from({ length: 24 }, (_, index) => `etc/lists/feed-${index}`)
const digestIn = (home: string, path: string): string =>
  createHash('sha256')
    .update(readFileSync(join(home, path)))
    .digest('hex')
const digestsIn = (home: string): string[] => paths.map((path) => digestIn(home, path))
const sizeIn = (home: string, path: string): number => statSync(join(home, path), { throwIfNoEntry: false })?.size ?? 0

const writeAll = ({ masterHome }: ProcessCluster, rows: number): void => {
  for (const path of paths) replaceBelow(masterHome, path, hashList(rows))
}

const stageOf = (home: string): readonly string[] => {
  const stage = join(home, 'queue/cluster', worker)
  return existsSync(stage) ? readdirSync(stage) : []
}

/** Moments of a sync, as they show on the worker's disk. */
const moments: readonly (readonly [says: string, holds: (home: string, newSize: number) => boolean])[] = [
  ['the first content comes in', (home) => stageOf(home).length > 0],
  ['half of the content is staged', (home) => stageOf(home).length > paths.length / 2],
  ['the first file is renamed into place', (home, newSize) => paths.some((path) => sizeIn(home, path) === newSize)],
]

describe.each([worker, master])('kill -9 of the %s', (victim) => {
  it.each(moments)('when %s leaves every file old or new, and the next start has all of them right', (_, holds) =>
    withCluster([master, worker], async (cluster) => {
      const home = cluster.home(worker)
      writeAll(cluster, 100)
      await cluster.startAll()
      await allTheSame(cluster)
      const before = digestsIn(home)
      writeAll(cluster, 30_000)
      const after = digestsIn(cluster.masterHome)
      const newSize = sizeIn(cluster.masterHome, paths[0] ?? '')
      await waitFor('The moment to kill', () => holds(home, newSize) || digestIn(home, paths[0] ?? '') === after[0], { everyMs: 1 })
      await cluster.daemon(victim).kill()
      for (const [at, digest] of digestsIn(home).entries()) expect([before[at], after[at]], paths[at]).toContain(digest)
      await cluster.startAll()
      await allTheSame(cluster)
      expect(digestsIn(home)).toEqual(after)
      await waitFor('An empty stage', () => stageOf(home).length === 0 || stageOf(home).join(', '))
    }),
  )
})
