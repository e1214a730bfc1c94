/** The answer to cluster_control -f: every file of each worker once, in order of the paths. */
import { expect, it } from 'vitest'
import type { FileRow } from '../../../src/domain/queries/clusterAnswer.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const { signal } = new AbortController()
const paths = ['b', 'a', 'z/1', 'c', 'z/0', '0'].map((name) => `etc/lists/${name}`)

const rowsOf = async (cluster: SimulatedCluster, all: boolean): Promise<readonly FileRow[]> => {
  const rows: FileRow[] = []
  const answer = cluster.master.running?.query({ kind: 'files', all }, signal) ?? []
  for await (const line of answer) if (line.kind === 'file') rows.push(line.row)
  return rows
}

it('files are listed in order of their paths, those that failed among those in sync', async () => {
  const cluster = new SimulatedCluster({ seed: 3, nodes: 2 })
  for (const path of paths) cluster.write('master', path, Buffer.from(path))
  for (const path of ['etc/lists/z', 'etc/lists/0']) {
    const isBlocked = path === 'etc/lists/0'
    cluster.node('w1').disk.fail({ operation: isBlocked ? 'rename' : 'mkdir', code: 'EACCES', path: cluster.absolute(path) })
  }
  cluster.startAll()
  await cluster.clock.advance(30_000)
  const unsynced = await rowsOf(cluster, false)
  expect(unsynced.map(({ file, state }) => `${file} ${state}`)).toEqual(['0', 'z/0', 'z/1'].map((name) => `etc/lists/${name} failed`))
  const all = await rowsOf(cluster, true)
  expect(all.map(({ file }) => file)).toEqual([...paths].sort())
  expect(all.filter(({ state }) => state === 'failed')).toEqual(unsynced)
  cluster.heal()
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
})
