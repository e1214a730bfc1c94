/** The file of the states on a real disk and in memory: whole after every crash, and nothing of others is lost. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { NodeStatesFile, nodeStatesPath } from '../../../src/disk/cluster/nodeStatesFile.js'
import { type NodeState, nodeStates } from '../../../src/domain/cluster/nodeState.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld } from '../../support/files/diskWorlds.js'

const states = fc.array(fc.tuple(fc.constantFrom('w1', 'w2', 'a.b'), fc.constantFrom(...nodeStates))).map((entries) => new Map(entries))

const asideIn = ({ disk, home }: DiskWorld): readonly string[] =>
  disk
    .readdir(`${home}/queue/muster`)
    .map(({ name }) => Buffer.from(name).toString())
    .filter((name) => name !== 'nodes.json')

describe.each([
  ['a real disk', createNodeWorld],
  ['a disk in memory', createMemoryWorld],
])('the file of the states on %s', (_, create) => {
  const inWorld = (act: (world: DiskWorld, file: NodeStatesFile) => void): void => {
    const world = create()
    try {
      act(world, new NodeStatesFile(world.disk, world.home))
    } finally {
      world.dispose()
    }
  }

  it('is read as it was written, with a mode that keeps others out', () =>
    inWorld((world, file) => {
      expect(file.load()).toEqual({ states: new Map() })
      for (const given of fc.sample(states, 5)) {
        file.save(given)
        expect(file.load()).toEqual({ states: given })
        expect(world.modeOf(nodeStatesPath)).toBe(0o640)
      }
      expect(asideIn(world)).toEqual([])
    }))

  it.each<readonly [string, (world: DiskWorld) => void, RegExp]>([
    ['noise', (world) => world.write(nodeStatesPath, 'noise'), /damaged, or not of Muster/],
    ['nothing', (world) => world.write(nodeStatesPath, ''), /damaged, or not of Muster/],
    ['other JSON', (world) => world.write(nodeStatesPath, '{"nodes":{"w1":"drained"}}'), /damaged, or not of Muster/],
    ['a directory', (world) => world.mkdir(nodeStatesPath), /not a file/],
    ['a link', (world) => world.symlink('/etc/passwd', nodeStatesPath), /not a file/],
    ['too much', (world) => world.write(nodeStatesPath, Buffer.alloc(limits.nodeStatesBytesMax + 1)), /larger than/],
  ])('sets %s aside under another name each time, and works', (_what, make, says) =>
    inWorld((world, file) => {
      for (const times of [1, 2]) {
        make(world)
        expect(file.load().setAside).toMatch(says)
        expect(asideIn(world)).toHaveLength(times)
        file.save(new Map([['w1', 'drained']]))
        expect(file.load()).toEqual({ states: new Map([['w1', 'drained']]) })
        world.remove(nodeStatesPath)
      }
    }),
  )
})

it('a power loss at any step of a write leaves the states of before or of after', () =>
  fc.assert(
    fc.property(states, states, fc.nat(30), (before, after, steps) => {
      const disk = new MemoryDisk({ now: () => 0 })
      disk.makeDirectories('/home')
      const file = new NodeStatesFile(disk, '/home')
      file.save(before)
      let left = steps
      disk.onStep = () => {
        if (left-- === 0) throw new Error('power')
      }
      let kept: readonly ReadonlyMap<string, NodeState>[] = [after]
      try {
        file.save(after)
      } catch {
        kept = [before, after]
      }
      disk.onStep = undefined
      disk.crash()
      expect(kept).toContainEqual(new NodeStatesFile(disk, '/home').load().states)
    }),
  ))
