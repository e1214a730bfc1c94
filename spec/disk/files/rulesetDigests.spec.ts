/** The digests that Wazuh's API compares between nodes, on a real disk and a simulated one. */
import { createHash } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { createTree } from '../../../src/disk/files/tree.js'
import { defaultSyncedItems } from '../../../src/domain/files/syncedItems.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld } from '../../support/files/diskWorlds.js'

const blake2b = (content: string): string => createHash('blake2b512').update(content).digest('hex')

const treeIn = (create: () => DiskWorld) => {
  const world = create()
  onTestFinished(() => world.dispose())
  const { disk, home } = world
  const tree = createTree(disk, { home, synced: defaultSyncedItems, role: 'worker', stageDir: `${home}/queue/cluster/n` })
  return { world, digests: () => tree.rulesetDigests() }
}

describe.each([
  ['real', createNodeWorld],
  ['simulated', createMemoryWorld],
])('the digests of rules, decoders and lists, on a %s disk', (_, create) => {
  it('are of what is synced there, and of nothing else', () => {
    const { digests, world } = treeIn(create)
    expect(digests()).toEqual({})
    const content = { 'etc/rules/a.xml': 'a', 'etc/decoders/below/d.xml': '', 'etc/lists/amazon': 'l\n' }
    for (const [path, text] of Object.entries(content)) world.write(path, text)
    for (const path of ['etc/rules/a.xml.swp', 'etc/lists/ar.conf', 'etc/sca/policy.yml', 'etc/client.keys']) world.write(path, 'x')
    expect(digests()).toEqual(Object.fromEntries(Object.entries(content).map(([path, text]) => [path, blake2b(text)])))
  })

  it('are not taken through links, and those of the others are there all the same', () => {
    const { digests, world } = treeIn(create)
    world.write('outside/secret', 'secret')
    world.write('etc/rules/a.xml', 'a')
    world.symlink(`${world.home}/outside`, 'etc/rules/directory')
    world.symlink(`${world.home}/outside/secret`, 'etc/rules/file.xml')
    world.fifo('etc/rules/pipe')
    expect(Object.keys(digests())).toEqual(['etc/rules/a.xml'])
  })
})

it('more files than the limit are refused, and not hashed for ever', () => {
  const { digests, world } = treeIn(createMemoryWorld)
  for (let index = 0; index <= limits.rulesetFilesMax; index++) world.write(`etc/lists/${index % 100}/${index}`, '')
  expect(digests).toThrow('more than 50000 rules')
})
