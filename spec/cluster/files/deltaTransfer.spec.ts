/** What a small change of a large file costs each worker of a simulated cluster, and that it arrives after crashes too. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'
import { runs } from '../../support/runs.js'

const lineOf = (id: number, of = 'first'): string =>
  `${String(id).padStart(3, '0')} agent-${id} any ${createHash('sha256').update(`${of} ${id}`).digest('hex')}`
const path = 'etc/client.keys'
const keys = (lines: number): string[] => Array.from({ length: lines }, (_, index) => lineOf(index + 1))
const fileOf = (lines: readonly string[]): Buffer => Buffer.from(`${lines.join('\n')}\n`)

const withCluster = async (work: (cluster: SimulatedCluster) => Promise<void>): Promise<void> => {
  const cluster = new SimulatedCluster({ seed: 7, nodes: 3 })
  await work(cluster)
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

describe('a small change of a large file', () => {
  it.each([
    { what: 'one line more', edit: (lines: readonly string[]) => [...lines, lineOf(20_000)] },
    { what: 'one line changed', edit: (lines: readonly string[]) => lines.with(6_000, lineOf(6_001, 'second')) },
    { what: 'one line less', edit: (lines: readonly string[]) => lines.toSpliced(3_000, 1) },
  ])('of 1 MB ($what) is on every worker for less than 2 % of it', ({ edit }) =>
    withCluster(async (cluster) => {
      const lines = keys(12_000)
      cluster.write('master', path, fileOf(lines), 0o640)
      cluster.startAll()
      await cluster.converge()
      const links = cluster.workers.map(({ running }) => running?.masterLink)
      const before = links.map((link) => link?.counters.bytesReceived ?? 0)
      const after = fileOf(edit(lines))
      expect(after.length).toBeGreaterThan(1_000_000)
      cluster.write('master', path, after, 0o640)
      await cluster.clock.advance(3_000)
      for (const [index, { name }] of cluster.workers.entries()) {
        expect(cluster.treeOf(name).files.get(path)?.content.equals(after)).toBe(true)
        const received = (links[index]?.counters.bytesReceived ?? 0) - (before[index] ?? 0)
        expect(received).toBeLessThan(after.length * 0.02)
      }
    }),
  )

  it('arrives although its worker or its master crashes on the way', () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom('master', 'w1'),
        fc.constantFrom<'process' | 'power'>('process', 'power'),
        fc.integer({ min: 0, max: 400 }),
        (name, what, delayMs) =>
          withCluster(async (cluster) => {
            const lines = keys(2_000)
            cluster.write('master', path, fileOf(lines), 0o640)
            cluster.startAll()
            await cluster.converge()
            cluster.write('master', path, fileOf(lines.with(1_000, lineOf(1_001, 'second'))), 0o640)
            await cluster.clock.advance(delayMs)
            cluster.crash(name, what)
            await cluster.clock.advance(100)
            cluster.heal()
            await cluster.converge()
          }),
      ),
      { numRuns: runs(20) },
    ))
})
