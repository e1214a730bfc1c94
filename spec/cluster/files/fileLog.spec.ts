/** What the logs show of single files: at debug each by its name, on the node that changes it, and at no other level. */
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const startCluster = async (): Promise<SimulatedCluster> => {
  const cluster = new SimulatedCluster({ seed: 5, nodes: 2, linesKept: 1_000_000, keepsDebug2: true })
  for (const name of ['kept', 'edited', 'gone', 'mine', 'lost']) cluster.write('master', `etc/rules/${name}.xml`, Buffer.from(name))
  cluster.startAll()
  await cluster.clock.advance(30_000)
  return cluster
}

/** The lines that name files since the cluster had `before` lines, without their times: `w1/Worker/Integrity sync debug …`. */
const fileLines = (cluster: SimulatedCluster, node: string, before: number): string[] =>
  cluster.trace
    .lines()
    .slice(before)
    .filter((line) => line.includes(` ${node}/`) && / file: '|more files?/.test(line))
    .map((line) => line.slice(line.indexOf(`${node}/`)))
    .sort()

const finish = async (cluster: SimulatedCluster): Promise<void> => {
  await cluster.stopAll()
  expect(cluster.violations).toEqual([])
}

describe('the log at debug', () => {
  it('names what the master sees changed, and what a worker creates, updates and deletes', async () => {
    const cluster = await startCluster()
    const before = cluster.trace.lines().length
    cluster.write('master', 'etc/rules/edited.xml', Buffer.from('other'))
    cluster.write('master', 'etc/rules/new\n.xml', Buffer.from('new'))
    cluster.master.disk.unlink(cluster.absolute('etc/rules/gone.xml'))
    await cluster.clock.advance(30_000)
    expect(fileLines(cluster, 'master', before)).toEqual([
      "master/Master/Local integrity debug Changed file: 'etc/rules/edited.xml'",
      "master/Master/Local integrity debug Deleted file: 'etc/rules/gone.xml'",
      "master/Master/Local integrity debug New file: 'etc/rules/new\\n.xml'",
    ])
    expect(fileLines(cluster, 'w1', before)).toEqual([
      "w1/Worker/Integrity sync debug Created file: 'etc/rules/new\\n.xml'",
      "w1/Worker/Integrity sync debug Remove file: 'etc/rules/gone.xml'",
      "w1/Worker/Integrity sync debug Updated file: 'etc/rules/edited.xml'",
    ])
    await finish(cluster)
  })

  it('names the changes that undo an edit on the worker, until the master changes the file again', async () => {
    const cluster = await startCluster()
    const before = cluster.trace.lines().length
    cluster.write('w1', 'etc/rules/mine.xml', Buffer.from('of w1'))
    cluster.write('w1', 'etc/rules/extra.xml', Buffer.from('of w1'))
    cluster.node('w1').disk.unlink(cluster.absolute('etc/rules/lost.xml'))
    await cluster.clock.advance(30_000)
    const undone = ' (a change made on this node is undone)'
    const ofSync = (lines: readonly string[]): string[] => lines.filter((line) => line.includes('Integrity sync'))
    expect(ofSync(fileLines(cluster, 'w1', before))).toEqual([
      `w1/Worker/Integrity sync debug Created file: 'etc/rules/lost.xml'${undone}`,
      `w1/Worker/Integrity sync debug Remove file: 'etc/rules/extra.xml'${undone}`,
      `w1/Worker/Integrity sync debug Updated file: 'etc/rules/mine.xml'${undone}`,
    ])
    const after = cluster.trace.lines().length
    cluster.write('master', 'etc/rules/mine.xml', Buffer.from('of the master'))
    await cluster.clock.advance(30_000)
    expect(fileLines(cluster, 'w1', after)).toEqual(["w1/Worker/Integrity sync debug Updated file: 'etc/rules/mine.xml'"])
    await finish(cluster)
  })

  it('names files of one scan and one plan up to a bound, and counts the rest', async () => {
    const cluster = await startCluster()
    const before = cluster.trace.lines().length
    const count = 3 * limits.filesLoggedMax
    for (let file = 0; file < count; file++) cluster.write('master', `etc/lists/${file}`, Buffer.from(`${file}`))
    await cluster.clock.advance(60_000)
    for (const node of ['master', 'w1']) {
      const lines = fileLines(cluster, node, before)
      const more = lines.flatMap((line) => /And (\d+) more files?/.exec(line)?.[1] ?? []).reduce((sum, text) => sum + Number(text), 0)
      const named = lines.filter((line) => line.includes("file: '")).length
      expect(named + more).toBe(count)
      expect(named).toBeLessThan(count)
    }
    await finish(cluster)
  })

  it('does not name a file that could not be written', async () => {
    const cluster = await startCluster()
    const before = cluster.trace.lines().length
    cluster.node('w1').disk.fail({ operation: 'rename', code: 'EACCES', path: cluster.absolute('etc/rules/edited.xml') })
    cluster.write('master', 'etc/rules/edited.xml', Buffer.from('other'))
    await cluster.clock.advance(30_000)
    expect(fileLines(cluster, 'w1', before)).toEqual([])
    cluster.heal()
    await finish(cluster)
  })
})

describe('the log at debug2', () => {
  it('names each request, notice and stream by its kind, with the time and the bytes that it took', async () => {
    const cluster = await startCluster()
    const before = cluster.trace.lines().length
    // More than travels with an announcement.
    cluster.write('master', 'etc/rules/new.xml', Buffer.alloc(2 * limits.announcedContentBytesMax, 'new'))
    await cluster.clock.advance(5_000)
    const lines = cluster.trace.lines().slice(before)
    const has = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line))
    for (const pattern of [
      /master\/Worker w1\/Messages debug2 Sent integrity\.changed\./,
      /w1\/Worker\/Messages debug2 Received integrity\.changed\./,
      /w1\/Worker\/Messages debug2 Sent integrity\.fetch: answered after \d+\.\d{3}s\./,
      /master\/Worker w1\/Messages debug2 Received integrity\.fetch: answered after \d+\.\d{3}s\./,
      /master\/Worker w1\/Messages debug2 Sent stream \d+: \d+ bytes in \d+\.\d{3}s, ended\./,
      /w1\/Worker\/Messages debug2 Received stream \d+: \d+ bytes in \d+\.\d{3}s, ended\./,
    ])
      expect(has(pattern), `${pattern}`).toBe(true)
    await finish(cluster)
  })
})
