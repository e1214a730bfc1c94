import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limits } from '../../../src/base/limits.js'
import { stampOf } from '../../../src/disk/files/fileHash.js'
import type { WrittenFile } from '../../../src/domain/files/treeValues.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld, type MemoryWorld } from '../../support/files/diskWorlds.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { edit, expectedEntries, sha256, treeEdits } from '../../support/files/treeEdits.js'
import { TreeNode } from '../../support/files/treeNodes.js'

const found = (node: TreeNode): Map<string, string> =>
  new Map(
    [...node.manifest.entries()].map((entry) => [entry.path, `${entry.mode.toString(8)} ${entry.digest}${entry.held ? ' held' : ''}`]),
  )
const zeros = '0'.repeat(64)
const roles = fc.constantFrom('master' as const, 'worker' as const)

const worlds = [
  { on: 'the real disk', create: createNodeWorld, runs: 25 },
  { on: 'the simulated disk', create: createMemoryWorld, runs: 150 },
]

describe.each(worlds)('a scan of the tree on $on', ({ create, runs }) => {
  it('in full finds exactly what is there, after any edits and earlier scans', () =>
    fc.assert(
      fc.property(roles, fc.array(treeEdits, { minLength: 1, maxLength: 3 }), (role, rounds) => {
        const world = create()
        const node = new TreeNode(world, role, synced)
        for (const changes of rounds) {
          for (const change of changes) edit(world, change)
          node.check()
          expect(found(node)).toEqual(expectedEntries(world, synced, role))
        }
        expect(node.problems).toEqual([])
        world.dispose()
      }),
      { numRuns: runs },
    ))

  it('of the paths that were edited finds what a full scan finds', () =>
    fc.assert(
      fc.property(roles, treeEdits, treeEdits, (role, before, after) => {
        const world = create()
        world.mkdir('etc/shared')
        world.mkdir('etc/rules')
        const node = new TreeNode(world, role, synced)
        for (const change of before) edit(world, change)
        node.check()
        for (const change of after) edit(world, change)
        node.check(after.map((change) => change.path))
        expect(found(node)).toEqual(expectedEntries(world, synced, role))
        world.dispose()
      }),
      { numRuns: runs },
    ))

  it('marks client.keys of a master, and no other file, when its content makes no sense', () =>
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('001 web any aa\n', '001 we', '\0\0\0', 'garbage\n', ''), { minLength: 1, maxLength: 6 }),
        (parts) => {
          const world = create()
          const [master, worker] = [new TreeNode(world, 'master', synced), new TreeNode(world, 'worker', synced)]
          world.write('etc/client.keys', 'first')
          for (const content of parts) {
            world.write('etc/rules/client.keys', content)
            world.write('etc/client.keys', content)
            master.check()
            worker.check()
            const nonsense = content.includes('\0') ? 'noise' : content.endsWith('aa\n') ? undefined : 'noLine'
            const entry = master.manifest.get('etc/client.keys')
            expect([entry?.nonsense, entry?.digest]).toEqual([nonsense, sha256(content)])
            expect(master.manifest.get('etc/rules/client.keys')?.nonsense).toBe(undefined)
            expect(worker.manifest.get('etc/client.keys')?.nonsense).toBe(undefined)
          }
          world.dispose()
        },
      ),
      { numRuns: runs },
    ))

  it('says nothing when nothing has changed', () => {
    const world = create()
    world.write('etc/rules/a/b', 'one')
    world.write('etc/client.keys', 'keys')
    const node = new TreeNode(world, 'master', synced)
    node.check()
    for (let round = 0; round < 3; round++) {
      const page = node.tree.scan(undefined)
      expect(page).toMatchObject({ upserts: [], removals: [], problems: [], files: 2, done: true })
      world.age()
    }
    world.dispose()
  })

  it('reports many files in bounded pages', () => {
    const world = create()
    const count = 2 * limits.scanPageEntriesMax + 5
    for (let index = 0; index < count; index++) world.write(`etc/rules/f${index}`, 'x')
    const node = new TreeNode(world, 'master', synced)
    const sizes: number[] = []
    for (let page = node.tree.scan(undefined); ; page = node.tree.nextPage()) {
      sizes.push(page.upserts.length)
      if (page.done) break
    }
    expect(sizes).toEqual([limits.scanPageEntriesMax, limits.scanPageEntriesMax, 5])
    world.dispose()
  })

  it('never reports names that are not UTF-8, says so once, and reports the rest', () => {
    const world = create()
    world.raw('etc/rules', Uint8Array.of(0x61, 0xff))
    world.write('etc/rules/good', 'one')
    const node = new TreeNode(world, 'master', synced)
    expect(node.check().map((problem) => problem.path)).toEqual(['etc/rules/a\\xff'])
    expect([...found(node).keys()]).toEqual(['etc/rules/good'])
    expect(node.check()).toEqual([])
    world.dispose()
  })

  describe('with symlinks', () => {
    let world: DiskWorld
    beforeEach(() => {
      world = create()
      world.write('etc/rules/real', 'one')
      world.write('etc/secret', 'secret')
    })
    afterEach(() => world.dispose())

    it('of the master are followed as files while they stay within their item, even when the target changes', () => {
      world.symlink('real', 'etc/rules/link')
      const node = new TreeNode(world, 'master', synced)
      node.check()
      expect(found(node).get('etc/rules/link')).toBe(`660 ${sha256('one')}`)
      world.write('etc/rules/real', 'other')
      node.check(['etc/rules/real'])
      expect(found(node).get('etc/rules/link')).toBe(`660 ${sha256('other')}`)
      world.remove('etc/rules/real')
      expect(node.check(['etc/rules/real']).map((problem) => problem.path)).toEqual(['etc/rules/link'])
      expect(found(node)).toEqual(new Map())
    })

    it('of the master: skips one that leads out, nowhere, in a circle, or to a directory, and logs it once', () => {
      world.mkdir('etc/rules/dir')
      const targets = { out: '../secret', absolute: '/etc/hostname', nowhere: 'gone', circle: 'circle', directory: 'dir' }
      for (const [name, target] of Object.entries(targets)) world.symlink(target, `etc/rules/${name}`)
      const node = new TreeNode(world, 'master', synced)
      const received = node.check().map((problem) => problem.path)
      expect(received.sort()).toEqual(['absolute', 'circle', 'directory', 'nowhere', 'out'].map((name) => `etc/rules/${name}`))
      expect([...found(node).keys()]).toEqual(['etc/rules/real'])
      expect(node.check()).toEqual([])
      world.remove('etc/rules/out')
      expect(node.check()).toEqual([])
      world.symlink('../secret', 'etc/rules/out')
      expect(node.check().map((problem) => problem.path)).toEqual(['etc/rules/out'])
    })

    it('of a worker: reports them and other special files as something that the master cannot have', () => {
      world.symlink('real', 'etc/rules/link')
      world.symlink('..', 'etc/rules/up')
      world.fifo('etc/rules/fifo')
      const node = new TreeNode(world, 'worker', synced)
      node.check()
      const digests = new Map([...node.manifest.entries()].map((entry) => [entry.path, entry.digest]))
      expect(digests).toEqual(
        new Map([
          ['etc/rules/real', sha256('one')],
          ['etc/rules/link', zeros],
          ['etc/rules/up', zeros],
          ['etc/rules/fifo', zeros],
        ]),
      )
    })

    it('follows an item directory that is a symlink itself', () => {
      world.write('elsewhere/a', 'one')
      world.symlink('../elsewhere', 'etc/shared')
      const node = new TreeNode(world, 'master', synced)
      node.check()
      expect([...found(node).keys()].sort()).toEqual(['etc/rules/real', 'etc/shared/a'])
    })
  })

  it('of a master skips what is neither file nor directory, and reports it once', () => {
    const world = create()
    world.fifo('etc/rules/fifo')
    const node = new TreeNode(world, 'master', synced)
    expect(node.check().map((problem) => problem.path)).toEqual(['etc/rules/fifo'])
    expect(node.check()).toEqual([])
    expect(found(node)).toEqual(new Map())
    world.dispose()
  })

  it('of a master that lost a directory keeps its files held, until it is back', () => {
    const world = create()
    world.write('etc/rules/a', 'one')
    world.write('etc/shared/b', 'two')
    const node = new TreeNode(world, 'master', synced)
    node.check()
    world.remove('etc/rules')
    expect(node.check().map((problem) => problem.path)).toEqual(['etc/rules'])
    expect(found(node)).toEqual(
      new Map([
        ['etc/rules/a', `660 ${sha256('one')} held`],
        ['etc/shared/b', `660 ${sha256('two')}`],
      ]),
    )
    expect(node.tree.nextPage().unknownDirectories).toEqual(['etc/rules'])
    world.write('etc/rules/c', 'three')
    expect(node.check()).toEqual([])
    expect([...found(node).keys()].sort()).toEqual(['etc/rules/c', 'etc/shared/b'])
    world.dispose()
  })

  it('of a master without its directories says which are missing, also when they never existed', () => {
    const world = create()
    const node = new TreeNode(world, 'master', synced)
    const page = node.tree.scan(undefined)
    expect(page).toMatchObject({ upserts: [], removals: [], problems: [], done: true })
    expect(page.unknownDirectories).toEqual(['etc', 'etc/shared', 'etc/rules'])
    world.dispose()
  })
})

describe('a scan of a faulty disk', () => {
  let world: MemoryWorld
  beforeEach(() => {
    world = createMemoryWorld()
    world.write('etc/rules/a', 'one')
    world.write('etc/rules/sub/b', 'two')
    world.write('etc/rules/sub/deep/c', 'three')
  })

  it.each(['EACCES', 'EIO'])(
    'of a master holds a file that cannot be read (%s), reports it once, and releases it when it can be',
    (code) => {
      const node = new TreeNode(world, 'master', synced)
      node.check()
      world.write('etc/rules/a', 'other')
      world.write('etc/rules/new', 'new')
      const stops = ['a', 'new'].map((name) => world.disk.fail({ operation: 'open', code, path: `/home/etc/rules/${name}` }))
      expect(node.check().map((problem) => problem.path)).toEqual(['etc/rules/a', 'etc/rules/new'])
      expect(node.check()).toEqual([])
      expect(found(node).get('etc/rules/a')).toBe(`660 ${sha256('one')} held`)
      expect(found(node).get('etc/rules/new')).toBe(`660 ${zeros} held`)
      for (const stop of stops) stop()
      expect(node.check()).toEqual([])
      expect(found(node)).toEqual(expectedEntries(world, synced, 'master'))
    },
  )

  it('of a master holds everything below a directory that cannot be read', () => {
    const node = new TreeNode(world, 'master', synced)
    node.check()
    const stop = world.disk.fail({ operation: 'readdir', code: 'EACCES', path: '/home/etc/rules/sub' })
    expect(node.check().map((problem) => problem.path)).toEqual(['etc/rules/sub'])
    const held = [...node.manifest.entries()].filter((entry) => entry.held).map((entry) => entry.path)
    expect(held.sort()).toEqual(['etc/rules/sub/b', 'etc/rules/sub/deep/c'])
    stop()
    node.check()
    expect(found(node)).toEqual(expectedEntries(world, synced, 'master'))
  })

  it.each(['etc/rules', 'etc/rules/sub'])(
    'of a master says that nothing is known of %s when it cannot be read at the first scan',
    (path) => {
      const node = new TreeNode(world, 'master', synced)
      const stop = world.disk.fail({ operation: 'readdir', code: 'EACCES', path: `/home/${path}` })
      const isUnknown = (): boolean => node.tree.nextPage().unknownDirectories.includes(path)
      expect(node.check().map((problem) => problem.path)).toEqual([path])
      expect(isUnknown()).toBe(true)
      stop()
      node.check()
      expect(isUnknown()).toBe(false)
      expect(found(node)).toEqual(expectedEntries(world, synced, 'master'))
    },
  )

  it('of a master releases a directory that could not be read and is deleted', () => {
    const node = new TreeNode(world, 'master', synced)
    const stop = world.disk.fail({ operation: 'readdir', code: 'EACCES', path: '/home/etc/rules/sub' })
    node.check()
    stop()
    world.remove('etc/rules/sub')
    node.check()
    expect(node.tree.nextPage().unknownDirectories).not.toContain('etc/rules/sub')
  })

  it('of a worker reports a file that cannot be read as something that the master cannot have', () => {
    const node = new TreeNode(world, 'worker', synced)
    const stop = world.disk.fail({ operation: 'read', code: 'EIO', path: '/home/etc/rules/a' })
    expect(node.check().map((problem) => problem.path)).toEqual(['etc/rules/a'])
    expect(node.manifest.get('etc/rules/a')?.digest).toBe(zeros)
    stop()
    node.check()
    expect(found(node)).toEqual(expectedEntries(world, synced, 'worker'))
  })

  it('finds an edit that keeps the size and comes within the same tick as the scan before', () => {
    const node = new TreeNode(world, 'master', synced)
    node.check()
    world.write('etc/rules/a', 'two')
    node.check()
    expect(node.manifest.get('etc/rules/a')?.digest).toBe(sha256('two'))
  })

  it('hashes a file again only when it changed, or was hashed within 2 s of a change', () => {
    const node = new TreeNode(world, 'master', synced)
    let opened = 0
    world.disk.onStep = (operation) => {
      if (operation === 'open') opened += 1
    }
    const openedBy = (act: () => void): number => {
      opened = 0
      act()
      return opened
    }
    expect(openedBy(() => node.check())).toBe(3)
    world.clock.nowMs += 1_999
    expect(openedBy(() => node.check())).toBe(3)
    world.clock.nowMs += 1
    expect(openedBy(() => node.check())).toBe(3)
    expect(openedBy(() => node.check())).toBe(0)
    world.write('etc/rules/a', 'other')
    expect(openedBy(() => node.check())).toBe(1)
  })

  it('takes what this process wrote unread, and reads it again only if its times could hide a write', () => {
    const node = new TreeNode(world, 'master', synced)
    node.check()
    let opened = 0
    world.disk.onStep = (operation) => {
      if (operation === 'open') opened += 1
    }
    const place = (content: string, waitMs: number): WrittenFile => {
      world.write('etc/whole', content)
      world.clock.nowMs += waitMs
      world.disk.rename('/home/etc/whole', '/home/etc/rules/a')
      return { path: 'etc/rules/a', digest: sha256(content), stamp: stampOf(world.disk.lstat('/home/etc/rules/a')) }
    }
    for (const { readings, waitMs } of [
      { waitMs: 1, readings: 0 },
      { waitMs: 0, readings: 1 },
    ]) {
      const written = place(`waited ${waitMs}`, waitMs)
      opened = 0
      expect(node.tree.wrote(written)).toMatchObject({ path: written.path, digest: written.digest })
      expect(node.tree.scan([written.path]).upserts).toEqual([])
      expect(opened).toBe(readings)
      world.write('etc/rules/a', `edited ${waitMs}`)
      expect(node.tree.scan([written.path]).upserts).toMatchObject([{ digest: sha256(`edited ${waitMs}`) }])
    }
    expect(node.tree.wrote({ path: 'etc/rules/a', digest: zeros, stamp: 'of another' })).toBeUndefined()
    world.remove('etc/rules/a')
    expect(node.tree.wrote({ path: 'etc/rules/a', digest: zeros, stamp: '' })).toBeUndefined()
  })

  it('of one path costs what changed, not what is there', () => {
    for (let index = 0; index < 500; index++) world.write(`etc/rules/many/${index}`, 'x')
    const node = new TreeNode(world, 'master', synced)
    node.check()
    let steps = 0
    world.disk.onStep = () => {
      steps += 1
    }
    world.write('etc/rules/sub/deep/c', 'other')
    node.check(['etc/rules/sub/deep/c'])
    expect(node.manifest.get('etc/rules/sub/deep/c')?.digest).toBe(sha256('other'))
    expect(steps).toBeLessThan(20)
  })
})
