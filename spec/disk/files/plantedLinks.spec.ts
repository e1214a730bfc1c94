/** A user who may write in the synced directories puts links in their place while the daemon is at work in them. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMemoryWorld, filesBelow, type MemoryWorld } from '../../support/files/diskWorlds.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { edit, sha256, type TreeEdit, treeEdits } from '../../support/files/treeEdits.js'
import { syncRound, TreeNode } from '../../support/files/treeNodes.js'
import { runs } from '../../support/runs.js'

const outside = 'outside'

/** Every directory below `path`, and itself. */
const directoriesBelow = (world: MemoryWorld, path: string): string[] =>
  world.exists(path)
    ? [
        path,
        ...world.disk
          .readdir(`${world.home}/${path}`)
          .filter(({ kind }) => kind === 'directory')
          .flatMap(({ name }) => directoriesBelow(world, `${path}/${Buffer.from(name).toString()}`)),
      ]
    : []

/** A world with files of another owner under every name that the tree could lead to through a link. */
const worldOf = (edits: readonly TreeEdit[], others: readonly TreeEdit[]): MemoryWorld => {
  const world = createMemoryWorld()
  for (const { dir } of synced.items) world.mkdir(dir)
  world.mkdir('queue/cluster/node')
  for (const change of edits) edit(world, change)
  for (const change of [...edits, ...others]) {
    const names = change.path.split('/')
    for (let depth = 2; depth < names.length; depth++) {
      const path = `${outside}/${names.slice(depth).join('/')}`
      try {
        if (change.kind === 'mkdir') world.mkdir(path)
        else world.write(path, `secret of ${path}`, 0o600)
      } catch {
        // A file and a directory of the same name: one of them is enough.
      }
    }
  }
  return world
}

interface Exchange {
  readonly step: number
  readonly pick: number
  readonly isUndone: boolean
}

/** At some calls of the disk, puts a link to the outside in the place of a directory; the directory itself stays within the item. */
const exchanging = (world: MemoryWorld, exchanges: readonly Exchange[]): void => {
  const { disk, home } = world
  let steps = 0
  const undo: (() => void)[] = []
  const act = ({ isUndone, pick, step }: Exchange): void => {
    const inItems = synced.items.slice(1).flatMap(({ dir }) => directoriesBelow(world, dir).slice(1))
    const directories = [...inItems, 'queue/cluster/node']
    const picked = `${home}/${directories[pick % directories.length]}`
    const aside = `${picked}.aside${step}`.replace(/x{255}/, 'x')
    if (!world.exists(picked.slice(home.length + 1))) return
    disk.rename(picked, aside)
    disk.makeSymlink(`${home}/${outside}`, picked)
    if (isUndone)
      undo.push(() => {
        disk.remove(picked)
        disk.rename(aside, picked)
      })
  }
  const onStep = (): void => {
    steps += 1
    disk.onStep = undefined
    try {
      for (const back of undo.splice(0)) back()
      for (const exchange of exchanges) if (exchange.step === steps) act(exchange)
    } catch (thrown) {
      // The daemon was faster: there is nothing to replace any more.
      if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
    } finally {
      disk.onStep = onStep
    }
  }
  disk.onStep = onStep
}

const tree = treeEdits.map((edits) => edits.filter((change) => !/ar\.conf|~/.test(change.path)))
const exchanges = fc.array(fc.record({ step: fc.integer({ min: 1, max: 300 }), pick: fc.nat(20), isUndone: fc.boolean() }), {
  minLength: 1,
  maxLength: 3,
})

describe('a directory that is replaced by a link to the outside, at any call of the disk', () => {
  it.each(['worker', 'master'] as const)('of a %s leads to no file outside: none is changed, created, deleted or read', (attacked) =>
    fc.assert(
      fc.property(tree, tree, exchanges, (masterEdits, workerEdits, list) => {
        const a = worldOf(masterEdits, workerEdits)
        const b = worldOf(workerEdits, masterEdits)
        const [master, worker] = [new TreeNode(a, 'master', synced), new TreeNode(b, 'worker', synced)]
        const attackedWorld = attacked === 'worker' ? b : a
        const before = filesBelow(attackedWorld, outside)
        const directories = directoriesBelow(attackedWorld, outside)
        const secrets = new Set([...before.values()].map((text) => sha256(text.slice(text.indexOf(' ') + 1))))
        exchanging(attackedWorld, list)
        for (let round = 0; round < 2; round++) {
          try {
            syncRound(master, worker)
          } catch (thrown) {
            if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
          }
          expect(attackedWorld.disk.openFiles, 'handles that are held').toBeLessThanOrEqual(1)
        }
        attackedWorld.disk.onStep = undefined
        for (const node of [master, worker]) node.tree.close()
        expect(attackedWorld.disk.openFiles).toBe(0)
        expect(filesBelow(attackedWorld, outside)).toEqual(before)
        expect(directoriesBelow(attackedWorld, outside)).toEqual(directories)
        for (const { digest, path } of [...master.entries().values(), ...worker.entries().values()])
          expect(secrets.has(digest), path).toBe(false)
      }),
      { numRuns: runs(300) },
    ),
  )
})
