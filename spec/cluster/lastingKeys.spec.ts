/** client.keys on the workers while it is missing or empty on the master: nobody means it to be gone. */
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../src/simulation/cluster.js'

const path = 'etc/client.keys'
const stale = Buffer.from(`001 stale any ${'0'.repeat(64)}\n`)

const contentOn = (cluster: SimulatedCluster, name: string): string => {
  try {
    return cluster.node(name).disk.contentOf(cluster.absolute(path)).toString()
  } catch {
    return 'missing'
  }
}

const startCluster = async (agents: number): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: 2 })
  cluster.agents.populate(agents, ['default'])
  if (agents === 0) cluster.master.disk.remove(cluster.absolute(path))
  cluster.startAll()
  await cluster.clock.advance(20_000)
  return cluster
}

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

const damages: readonly [string, (cluster: SimulatedCluster) => void][] = [
  ['missing', (cluster) => cluster.master.disk.remove(cluster.absolute(path))],
  ['empty', (cluster) => cluster.write('master', path, Buffer.alloc(0), 0o640)],
  [
    'a directory',
    (cluster) => {
      cluster.master.disk.remove(cluster.absolute(path))
      cluster.master.disk.makeDirectories(cluster.absolute(path))
    },
  ],
]

describe('client.keys', () => {
  it.each(damages)('that is %s on the master stays on the workers, also when the master starts like that', async (_, damage) => {
    const cluster = await startCluster(3)
    const before = contentOn(cluster, 'master')
    expect(contentOn(cluster, 'w1')).toBe(before)
    const looked = new Set<string>()
    const lookFor = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 100) {
        await cluster.clock.advance(100)
        looked.add(contentOn(cluster, 'w1'))
      }
    }
    damage(cluster)
    await lookFor(30_000)
    cluster.crash('master', 'process')
    await lookFor(5_000)
    cluster.start('master')
    await lookFor(30_000)
    expect([...looked]).toEqual([before])
    const member = cluster.master.running?.registry?.get('w1')
    expect(member?.state.inSync).toBe(true)

    cluster.master.disk.remove(cluster.absolute(path))
    cluster.write('master', path, Buffer.from(before.replace('agent-1 ', 'agent-9 ')), 0o640)
    await cluster.clock.advance(20_000)
    expect(contentOn(cluster, 'w1')).toContain('agent-9 ')
    await finish(cluster)
  })

  it('of another cluster goes from a worker of a master that never had any', async () => {
    const cluster = await startCluster(0)
    cluster.write('w1', path, stale, 0o640)
    await cluster.clock.advance(20_000)
    expect(contentOn(cluster, 'w1')).toBe('missing')
    await finish(cluster)
  })
})
