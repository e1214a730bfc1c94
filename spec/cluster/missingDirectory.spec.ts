/** A master that lost a synced directory, or never had it, must not make its workers lose their files. */
import { describe, expect, it } from 'vitest'
import { SimulatedCluster } from '../../src/simulation/cluster.js'

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
