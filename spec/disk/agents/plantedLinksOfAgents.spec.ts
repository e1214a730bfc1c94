/** A user who may write in etc/shared and var/multigroups puts links there while the daemon makes and deletes groups' files. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createSynchronousAgentFiles, type SynchronousAgentFiles } from '../../../src/disk/agents/synchronousAgentFiles.js'
import { groupsHash } from '../../../src/domain/agents/groups.js'
import { defaultSyncedItems } from '../../../src/domain/files/syncedItems.js'
import { createMemoryWorld, filesBelow } from '../../support/files/diskWorlds.js'
import { sha256 } from '../../support/files/treeEdits.js'
import { runs } from '../../support/runs.js'

const attacked = ['etc/shared/g', 'etc/shared/g/sub', `var/multigroups/${groupsHash(['g', 'h'])}`]
const names = ['agent.conf', 'merged.mg', 'x', 'sub/y', '001']

const startedWorld = () => {
  const world = createMemoryWorld()
  for (const directory of ['etc/shared/h', ...attacked, 'queue/rids']) world.mkdir(directory)
  for (const name of names) {
    world.write(`outside/${name}`, `secret of ${name}`, 0o600)
    if (name !== '001') world.write(`etc/shared/g/${name}`, `open ${name}`)
  }
  world.write('etc/client.keys', '001 web any aa\n', 0o640)
  world.write('queue/rids/001', '1:2:')
  const files = createSynchronousAgentFiles(world.disk, {
    home: world.home,
    synced: defaultSyncedItems,
    role: 'master',
    managerName: 'master',
  })
  return { files, world }
}

const operations: Readonly<Record<string, (files: SynchronousAgentFiles) => unknown>> = {
  buildMerged: (files) => files.buildMerged([['g', 'h']], undefined),
  groupFiles: (files) => files.groupFiles('g', 'md5', undefined),
  mergedSum: (files) => files.mergedSum(['g', 'h']),
  createGroup: (files) => files.createGroup('new'),
  removeGroup: (files) => files.removeGroup('g'),
  forget: (files) => files.forget([1]),
  check: (files) => files.check(true, ''),
}

describe("a directory of agents' files that is replaced by a link to the outside, at any call of the disk", () => {
  it.each(Object.keys(operations))('leads to no file outside: none is changed, deleted or read by %s', (name) =>
    fc.assert(
      fc.property(fc.constantFrom(...attacked, 'queue/rids'), fc.integer({ min: 1, max: 80 }), (directory, step) => {
        const { files, world } = startedWorld()
        const before = filesBelow(world, 'outside')
        let steps = 0
        world.disk.onStep = () => {
          if (++steps !== step) return
          world.disk.onStep = undefined
          if (!world.exists(directory)) return
          world.disk.rename(`${world.home}/${directory}`, `${world.home}/${directory}.aside`)
          world.symlink(`${world.home}/outside`, directory)
        }
        let said: unknown
        try {
          said = operations[name]?.(files)
        } catch (thrown) {
          if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
        }
        world.disk.onStep = undefined
        expect(world.disk.openFiles).toBe(0)
        // The counters' own directory may be a link within the home: nothing but a counter is deleted there.
        if (directory !== 'queue/rids') expect(filesBelow(world, 'outside')).toEqual(before)
        const merged = [...filesBelow(world, 'etc'), ...filesBelow(world, 'var')].filter(([path]) => path.endsWith('merged.mg'))
        for (const [path, text] of merged) expect(text, path).not.toContain('secret')
        for (const file of names) expect(JSON.stringify(said ?? '')).not.toContain(sha256(`secret of ${file}`))
      }),
      { numRuns: runs(150) },
    ),
  )
})
