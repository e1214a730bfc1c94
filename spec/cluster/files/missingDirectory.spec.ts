/** A master that lost a synced directory, never had it or cannot read it must not delete its workers' files. */
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../../src/simulation/cluster.js'

const rules = 'etc/rules/local_rules.xml'
const lists = 'etc/lists/audit-keys'

describe('a master without a synced directory', () => {
  it.each(['while it runs', 'before it starts'])(
    'leaves its workers’ files alone when the directory goes %s, and syncs again once it is back',
    async (when) => {
      const cluster = new SimulatedCluster({ seed: 5, nodes: 2 })
      const { disk } = cluster.master
      cluster.write('master', rules, Buffer.from('<group/>'))
      cluster.write('master', lists, Buffer.from('a:b'))
      cluster.startAll()
      await cluster.converge()
      if (when === 'before it starts') cluster.crash('master', 'process')
      disk.rename(cluster.absolute('etc/rules'), cluster.absolute('moved-away'))
      cluster.start('master')
      cluster.write('master', lists, Buffer.from('c:d'))
      await cluster.clock.advance(60_000)
      expect(cluster.treeOf('w1').files.get(rules)?.content.toString()).toBe('<group/>')
      expect(cluster.treeOf('w1').files.get(lists)?.content.toString()).toBe('c:d')
      disk.mkdir(cluster.absolute('etc/rules'), 0o770)
      await cluster.converge()
      expect(cluster.treeOf('w1').files.has(rules)).toBe(false)
      await cluster.stopAll()
      expect(cluster.violations).toEqual([])
    },
  )
})

describe('a master that cannot read a directory', () => {
  const deep = 'etc/rules/custom/ssh.xml'

  it.each(['etc/rules', 'etc/rules/custom'])('from its start on leaves the files of the workers below %s alone', async (path) => {
    const cluster = new SimulatedCluster({ seed: 6, nodes: 2 })
    cluster.write('master', deep, Buffer.from('<group/>'))
    cluster.write('master', lists, Buffer.from('a:b'))
    cluster.startAll()
    await cluster.converge()
    cluster.crash('master', 'process')
    const readable = cluster.master.disk.fail({ operation: 'readdir', code: 'EACCES', path: cluster.absolute(path) })
    cluster.start('master')
    cluster.write('master', lists, Buffer.from('c:d'))
    await cluster.clock.advance(60_000)
    expect(cluster.treeOf('w1').files.get(deep)?.content.toString()).toBe('<group/>')
    expect(cluster.treeOf('w1').files.get(lists)?.content.toString()).toBe('c:d')
    readable()
    cluster.write('master', deep, Buffer.from('<new/>'))
    await cluster.converge()
    expect(cluster.treeOf('w1').files.get(deep)?.content.toString()).toBe('<new/>')
    await cluster.stopAll()
    expect(cluster.violations).toEqual([])
  })
})
