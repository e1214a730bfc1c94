/** kill -9 in the middle of a sync: at no moment is a file partial, and the next start repairs. */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { hashList } from '../../../examples/demo/managerFiles.js'
import { replaceBelow } from '../../../examples/demo/nodeHome.js'
import type { ProcessCluster } from '../../../examples/demo/processCluster.js'
import { SizeWatch, sizeIn } from '../../../examples/demo/sizeWatch.js'
import { waitFor } from '../../../examples/demo/waitFor.js'
import { master, withCluster, worker } from '../../support/daemons.js'

const paths = Array.from({ length: 24 }, (_, index) => `etc/lists/feed-${index}`)
const digestIn = (home: string, path: string): string =>
  createHash('sha256')
    .update(readFileSync(join(home, path)))
    .digest('hex')
const digestsIn = (home: string): string[] => paths.map((path) => digestIn(home, path))

const writeAll = ({ masterHome }: ProcessCluster, rows: number): void => {
  const contents = paths.map((path) => ({ path, content: hashList(rows) }))
  for (const { content, path } of contents) replaceBelow(masterHome, path, content)
}

const stageOf = (home: string): readonly string[] => {
  const stage = join(home, 'queue/cluster', worker)
  return existsSync(stage) ? readdirSync(stage) : []
}

type Moment = readonly [says: string, holds: (home: string, renewed: number) => boolean]

/** Moments of a sync, as they show on the worker's disk. */
const moments: readonly Moment[] = [
  ['the first content comes in', (home) => stageOf(home).length > 0],
  ['half of the content is staged', (home) => stageOf(home).length > paths.length / 2],
  ['the first file is renamed into place', (_, renewed) => renewed > 0],
]

/** Kills the victim at that moment of a sync of new content, and starts it again. */
const killedAt = async (cluster: ProcessCluster, victim: string, [says, holds]: Moment): Promise<void> => {
  const home = cluster.home(worker)
  writeAll(cluster, 100)
  await cluster.allTheSame()
  const before = digestsIn(home)
  const first = paths[0] ?? ''
  const oldSize = sizeIn(home, first)
  writeAll(cluster, 30_000)
  const watch = new SizeWatch(paths, { oldSize, newSize: sizeIn(cluster.masterHome, first) })
  const isTime = (): boolean => {
    const renewed = watch.renewed(home)
    return renewed === paths.length || holds(home, renewed)
  }
  await waitFor(`The moment to kill, when ${says}`, isTime, { everyMs: 1 })
  await cluster.daemon(victim).kill()
  const after = digestsIn(cluster.masterHome)
  for (const [at, digest] of digestsIn(home).entries())
    expect([before[at], after[at]], `${paths[at]}, killed when ${says}`).toContain(digest)
  const starting = cluster.startAll()
  await waitFor(`Every file renewed by the next start, killed when ${says}`, () => watch.renewed(home) === paths.length, { everyMs: 1 })
  await starting
  await cluster.allTheSame()
  expect(digestsIn(home)).toEqual(after)
  await waitFor('An empty stage', () => stageOf(home).length === 0 || stageOf(home).join(', '))
}

describe.each([worker, master])('kill -9 of the %s', (victim) => {
  it('at any moment of a sync leaves every file old or new, and the next start has all of them right', () =>
    withCluster([master, worker], async (cluster) => {
      await cluster.startAll()
      for (const moment of moments) await killedAt(cluster, victim, moment)
    }))
})
