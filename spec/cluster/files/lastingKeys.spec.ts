/** client.keys on the workers while it is missing, empty or damaged on the master: that is never taken as a deletion. */
import { describe, expect, it } from 'vitest'
import type { AnswerLine } from '../../../src/domain/queries/answerLine.js'
import { printFiles } from '../../../src/programs/clusterControl/printFiles.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const { signal } = new AbortController()
const path = 'etc/client.keys'
const stale = Buffer.from(`001 stale any ${'0'.repeat(64)}\n`)

const contentOn = (cluster: SimulatedCluster, name: string): string => {
  try {
    return cluster.node(name).disk.contentOf(cluster.absolute(path)).toString()
  } catch {
    return 'missing'
  }
}

async function* answerOf(cluster: SimulatedCluster): AsyncGenerator<AnswerLine> {
  const answer = cluster.master.running?.query({ kind: 'files', all: false }, signal)
  if (answer) yield* answer
}

const startCluster = async (agents: number): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 1, nodes: 2, linesKept: 100_000 })
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
  ['noise', (cluster) => cluster.write('master', path, Buffer.from('00\u00031 agent-1 any 0\n'), 0o640)],
  ['zeros after a crash', (cluster) => cluster.write('master', path, Buffer.alloc(300), 0o640)],
  ['not UTF-8', (cluster) => cluster.write('master', path, Buffer.from('001 agent-1 any \u00fc\n', 'latin1'), 0o640)],
  ['cut off within its first line', (cluster) => cluster.write('master', path, Buffer.from('001 age'), 0o640)],
  ['lines of which none is one of its', (cluster) => cluster.write('master', path, Buffer.from('<xml>\n# no\n</xml>\n'), 0o640)],
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
    const seen = new Set<string>()
    const watchFor = async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 100) {
        await cluster.clock.advance(100)
        seen.add(contentOn(cluster, 'w1'))
      }
    }
    damage(cluster)
    await watchFor(30_000)
    cluster.crash('master', 'process')
    await watchFor(5_000)
    cluster.start('master')
    await watchFor(30_000)
    expect([...seen]).toEqual([before])
    // Once by each of the two processes.
    expect(cluster.trace.lines().filter((line) => line.includes('so the workers keep their copies.'))).toHaveLength(2)
    const member = cluster.master.running?.registry?.get('w1')
    expect(member?.state.inSync).toBe(true)

    cluster.master.disk.remove(cluster.absolute(path))
    cluster.write('master', path, Buffer.from(before.replace('agent-1 ', 'agent-9 ')), 0o640)
    await cluster.clock.advance(20_000)
    expect(contentOn(cluster, 'w1')).toContain('agent-9 ')
    await finish(cluster)
  })

  it('that is noise is held back on a master that never had any agent, too', async () => {
    const cluster = await startCluster(0)
    cluster.write('master', path, Buffer.alloc(300), 0o640)
    cluster.write('w1', path, stale, 0o640)
    await cluster.clock.advance(20_000)
    expect(contentOn(cluster, 'w1')).toBe(stale.toString())
    await finish(cluster)
  })

  it.each([
    ['some lines that cannot be used', (before: string) => `${before}nonsense\n\u00fc\n`],
    ['nothing but comments', () => '# all of them are gone\n\n'],
  ])('that has %s goes to the workers', async (_, edited) => {
    const cluster = await startCluster(3)
    const content = edited(contentOn(cluster, 'master'))
    cluster.write('master', path, Buffer.from(content), 0o640)
    await cluster.clock.advance(20_000)
    expect(contentOn(cluster, 'w1')).toBe(content)
    await finish(cluster)
  })

  it('that is held back is named with the reason by cluster_control -f, until it is whole again', async () => {
    const cluster = await startCluster(3)
    const before = contentOn(cluster, 'master')
    const says = async (): Promise<string[]> => {
      const texts: string[] = []
      for await (const text of printFiles(answerOf(cluster))) texts.push(text)
      return texts.filter((text) => text.includes(path))
    }
    const reasons = [
      [Buffer.alloc(300), 'The file is not a text file on the master, so the workers keep their copies.'],
      [Buffer.from('001 age'), 'The file lists no agents on the master, so the workers keep their copies.'],
      [Buffer.alloc(0), 'The file lists no agents on the master, so the workers keep their copies.'],
    ] as const
    for (const [content, reason] of reasons) {
      cluster.write('master', path, content, 0o640)
      await cluster.clock.advance(20_000)
      expect(await says()).toEqual([expect.stringContaining(reason)])
    }
    cluster.write('master', path, Buffer.from(before), 0o640)
    await cluster.clock.advance(20_000)
    expect(await says()).toEqual([])
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
