/** The order in which a plan's files are brought into place, as the disk sees it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keysPath } from '../../../src/domain/agents/keyEntry.js'
import { sharedDirectory } from '../../../src/domain/agents/mergedFile.js'
import { defaultSyncedItems, itemOf } from '../../../src/domain/files/syncedItems.js'
import { byWriteOrder, isWrittenLast } from '../../../src/domain/files/writeOrder.js'
import { createMemoryWorld } from '../../support/files/diskWorlds.js'
import { syncRound, TreeNode } from '../../support/files/treeNodes.js'

const paths = [
  keysPath,
  ...['a/agent.conf', 'a/merged.mg', 'zz/merged.mg'].map((name) => `${sharedDirectory}/${name}`),
  ...['etc/decoders/a.xml', 'etc/lists/a', 'etc/rules/z.xml', 'var/multigroups/0123abcd/merged.mg'],
]
const contents = fc.constantFrom('one', 'two', undefined)
/** What each side has at each path. */
const trees = fc.array(fc.tuple(contents, contents), { minLength: paths.length, maxLength: paths.length })

describe('a plan', () => {
  it('writes the files of groups first and client.keys last, and deletes after all writes', () =>
    fc.assert(
      fc.property(trees, (sides) => {
        const [a, b] = [createMemoryWorld(), createMemoryWorld()]
        const [master, worker] = [new TreeNode(a, 'master', defaultSyncedItems), new TreeNode(b, 'worker', defaultSyncedItems)]
        for (const [index, [there, here]] of sides.entries()) {
          const path = paths[index] ?? ''
          const mode = itemOf(defaultSyncedItems, path)?.mode
          if (there !== undefined) a.write(path, there, mode)
          if (here !== undefined) b.write(path, here, mode)
        }
        const written: string[] = []
        const steps: string[] = []
        b.disk.onStep = (call, path) => {
          if (call === 'rename' && !path.includes('queue/cluster')) written.push(path.slice(b.home.length + 1))
          if ((call === 'rename' || call === 'unlink') && !path.includes('queue/cluster')) steps.push(call)
        }
        expect(syncRound(master, worker).failures.size).toBe(0)
        b.disk.onStep = undefined
        const changed = paths.filter((_, index) => sides[index]?.[0] !== undefined && sides[index]?.[0] !== sides[index]?.[1])
        expect([...written].sort()).toEqual([...changed].sort())
        const ofGroups = written.filter((path) => path.startsWith(`${sharedDirectory}/`))
        expect(written.slice(0, ofGroups.length)).toEqual(ofGroups)
        if (written.includes(keysPath)) expect(written.at(-1)).toBe(keysPath)
        if (steps.includes('unlink')) expect(steps.indexOf('unlink')).toBeGreaterThan(steps.lastIndexOf('rename'))
      }),
      { numRuns: 100 },
    ))

  it('has one order of its paths, whatever they are', () =>
    fc.assert(
      fc.property(fc.uniqueArray(fc.oneof(fc.constantFrom(...paths), fc.string()), { maxLength: 10 }), (some) => {
        const ordered = [...some].sort(byWriteOrder)
        expect([...some].reverse().sort(byWriteOrder)).toEqual(ordered)
        if (some.some(isWrittenLast)) expect(ordered.at(-1)).toBe(keysPath)
      }),
    ))
})
