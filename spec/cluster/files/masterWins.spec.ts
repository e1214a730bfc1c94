/** What operators rely on, as properties of a whole simulated cluster without faults. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { defaultSyncedItems, itemOf } from '../../../src/domain/files/syncedItems.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { defaultFaultPaths } from '../../../src/simulation/faults/randomPlan.js'
import { runs } from '../../support/runs.js'

const syncedPaths = defaultFaultPaths.filter((path) => itemOf(defaultSyncedItems, path))
const trees = fc.dictionary(fc.constantFrom(...syncedPaths), fc.uint8Array({ maxLength: 2_000 }), { maxKeys: 8 })
const excludedPaths = fc.constantFrom(
  'etc/rules/local.xml~',
  'etc/shared/default/x.tmp',
  'etc/shared/ar.conf',
  'etc/lists/a.lock',
  'etc/rules/.b.xml.swp',
  'etc/ossec.conf.bak',
  'etc/localtime',
)

const clusterOf = async (files: Record<string, Uint8Array>, work: (cluster: SimulatedCluster) => Promise<void>): Promise<void> => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: 3 })
  for (const [path, content] of Object.entries(files)) cluster.write('master', path, Buffer.from(content))
  await work(cluster)
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

describe('the master wins', () => {
  it('whatever a worker starts with, it ends with the master’s files and modes', () =>
    fc.assert(
      fc.asyncProperty(trees, trees, fc.constantFrom(0o600, 0o640, 0o660, 0o777), (master, worker, mode) =>
        clusterOf(master, async (cluster) => {
          for (const [path, content] of Object.entries(worker)) cluster.write('w1', path, Buffer.from(content), mode)
          cluster.startAll()
          await cluster.converge()
          // In addition there are the merged files that the master builds for its groups.
          const operators = [...cluster.treeOf('w1').files.keys()].filter((path) => !/^etc\/shared\/[^/]+\/merged\.mg$/.test(path))
          expect(operators.sort()).toEqual(Object.keys(master).sort())
          for (const [path, content] of Object.entries(master))
            expect(cluster.treeOf('w2').files.get(path)?.content).toEqual(Buffer.from(content))
        }),
      ),
      { numRuns: runs(20) },
    ))

  it('an edit, an addition, a deletion and a new mode on a worker are undone, and reach no other node', () =>
    fc.assert(
      fc.asyncProperty(trees, trees, fc.array(fc.constantFrom(...syncedPaths), { maxLength: 5 }), (master, edits, deletions) =>
        clusterOf(master, async (cluster) => {
          cluster.startAll()
          await cluster.converge()
          const before = cluster.treeOf('master')
          for (const [path, content] of Object.entries(edits)) cluster.write('w1', path, Buffer.from(content), 0o600)
          for (const path of deletions) if (cluster.treeOf('w1').files.has(path)) cluster.node('w1').disk.unlink(cluster.absolute(path))
          await cluster.converge()
          expect(cluster.treeOf('master')).toEqual(before)
          expect(cluster.differences()).toEqual([])
        }),
      ),
      { numRuns: runs(20) },
    ))

  it('excluded and foreign names stay as they are on every node', () =>
    fc.assert(
      fc.asyncProperty(trees, fc.dictionary(excludedPaths, fc.uint8Array({ maxLength: 50 })), (master, excluded) =>
        clusterOf(master, async (cluster) => {
          for (const [path, content] of Object.entries(excluded))
            for (const node of ['master', 'w1']) cluster.write(node, path, Buffer.concat([Buffer.from(node), Buffer.from(content)]))
          cluster.startAll()
          await cluster.converge()
          for (const [path, content] of Object.entries(excluded)) {
            expect(cluster.node('w1').disk.contentOf(cluster.absolute(path))).toEqual(
              Buffer.concat([Buffer.from('w1'), Buffer.from(content)]),
            )
            expect(() => cluster.node('w2').disk.lstat(cluster.absolute(path))).toThrow()
          }
        }),
      ),
      { numRuns: runs(20) },
    ))

  it('an edit on the master is on every worker within a second, long before the next periodic check', () =>
    fc.assert(
      fc.asyncProperty(trees, fc.constantFrom(...syncedPaths), fc.uint8Array({ minLength: 1, maxLength: 500 }), (master, path, content) =>
        clusterOf(master, async (cluster) => {
          cluster.startAll()
          await cluster.converge()
          cluster.write('master', path, Buffer.from(content))
          await cluster.clock.advance(1_000)
          expect(cluster.treeOf('w1').files.get(path)?.content).toEqual(Buffer.from(content))
          expect(cluster.treeOf('w2').files.get(path)?.content).toEqual(Buffer.from(content))
        }),
      ),
      { numRuns: runs(20) },
    ))
})
