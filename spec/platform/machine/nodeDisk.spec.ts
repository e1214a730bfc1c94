import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it } from 'vitest'
import { assertHandles, createNodeDisk } from '../../../src/platform/machine/nodeDisk.js'
import { createNodeWorld, filesBelow, temporaryDirectory } from '../../support/files/diskWorlds.js'
import { synced } from '../../support/files/treeArbitraries.js'
import { syncRound, TreeNode } from '../../support/files/treeNodes.js'

const made: string[] = []
const directory = (): string => {
  const path = mkdtempSync(join(temporaryDirectory(), 'muster-disk-'))
  made.push(path)
  return path
}
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true, force: true })
})

describe.skipIf(process.getuid?.() !== 0)('the real disk of root beside a real manager', () => {
  it('gives files and directories that it makes to the user of the manager, and none that is there', () => {
    const [a, b] = [createNodeWorld(), createNodeWorld()]
    const owner = { uid: 4_711, gid: 4_712 }
    const master = new TreeNode(a, 'master', synced)
    const worker = new TreeNode({ ...b, disk: createNodeDisk(owner) }, 'worker', synced)
    const present = ['etc', 'etc/shared', 'etc/shared/web', 'etc/rules']
    for (const path of present) b.mkdir(path)
    for (const path of ['etc/rules/kept.xml', 'etc/rules/replaced.xml']) b.write(path, 'old')
    a.write('etc/client.keys', '001 web any k\n', 0o640)
    for (const path of ['etc/shared/web/agent.conf', 'etc/shared/db/agent.conf', 'etc/rules/replaced.xml']) a.write(path, 'new')
    a.write('etc/rules/kept.xml', 'old')
    const seen = (path: string): unknown => {
      const { gid, mode, uid } = lstatSync(join(b.home, path))
      return { path, gid, mode, uid }
    }
    const [before, kept] = [present.map(seen), seen('etc/rules/kept.xml')]
    expect(syncRound(master, worker).failures.size).toBe(0)
    expect([present.map(seen), seen('etc/rules/kept.xml')]).toEqual([before, kept])
    for (const path of [
      'etc/client.keys',
      'etc/shared/web/agent.conf',
      'etc/shared/db',
      'etc/shared/db/agent.conf',
      'etc/rules/replaced.xml',
    ])
      expect(seen(path)).toMatchObject({ path, ...owner })
    for (const world of [a, b]) world.dispose()
  })
})

describe('an open directory of the real disk', () => {
  it('stays the same directory, whatever takes its name', () => {
    const [disk, home] = [createNodeDisk(), directory()]
    for (const name of ['a', 'outside']) mkdirSync(join(home, name))
    const handle = disk.openDirectory(join(home, 'a'))
    renameSync(join(home, 'a'), join(home, 'b'))
    symlinkSync('outside', join(home, 'a'))
    disk.close(disk.open(`${disk.heldPath(handle)}/file`, 'wx'))
    disk.mkdir(`${disk.heldPath(handle)}/below`, 0o770)
    disk.close(handle)
    expect(readdirSync(join(home, 'outside'))).toEqual([])
    expect(readdirSync(join(home, 'b')).sort()).toEqual(['below', 'file'])
    expect(lstatSync(join(home, 'b/below')).mode & 0o777).toBe(0o770)
    expect(() => disk.openDirectory(join(home, 'a'))).toThrow('ENOTDIR')
  })

  it('without a path on this system is reported at the start', () => {
    expect(() => assertHandles()).not.toThrow()
    expect(() => assertHandles('/proc/none')).toThrow(
      '/proc/none does not exist, and no file can be written safely without it: mount /proc',
    )
  })
})

/** Replaces directories by links to `outside` and back, as fast as it can, until it is ended. */
const attack = `
  const { renameSync, symlinkSync, unlinkSync } = require('node:fs')
  const { workerData: { home, outside } } = require('node:worker_threads')
  for (let round = 0; ; round++)
    for (const name of ['etc/rules/d0', 'etc/rules/d1/e', 'queue/cluster/node']) {
      const path = home + '/' + name
      try {
        renameSync(path, path + '.aside')
        symlinkSync(outside, path)
        for (let wait = 0; wait < (round % 50) * 1_000; wait++);
        unlinkSync(path)
      } catch {}
      try {
        renameSync(path + '.aside', path)
      } catch {}
    }
`

describe('directories of a worker that are replaced by links all the time', () => {
  it('lead to no file outside, on the real disk', async () => {
    const [a, b] = [createNodeWorld(), createNodeWorld()]
    made.push(a.home, b.home)
    const outside = directory()
    const names = Array.from({ length: 150 }, (_, index) => (index % 2 === 0 ? `d0/f${index}` : `d1/e/f${index}`))
    for (const name of names) writeFileSync(join(outside, name.slice(name.lastIndexOf('/') + 1)), 'of somebody else')
    for (const { dir } of synced.items) b.mkdir(dir)
    b.mkdir('queue/cluster/node')
    const [master, worker] = [new TreeNode(a, 'master', synced), new TreeNode(b, 'worker', synced)]
    const attacker = new Worker(attack, { eval: true, workerData: { home: b.home, outside } })
    try {
      await new Promise((resolve) => attacker.once('online', resolve))
      for (let round = 0; round < 8; round++) {
        for (const name of names) {
          if (round % 2 === 0) a.write(`etc/rules/${name}`, `content ${round}`)
          else a.remove(`etc/rules/${name}`)
        }
        try {
          syncRound(master, worker)
        } catch (thrown) {
          if (!(thrown instanceof Error) || !('code' in thrown)) throw thrown
        }
      }
    } finally {
      await attacker.terminate()
    }
    expect(readdirSync(outside)).toHaveLength(names.length)
    for (const name of readdirSync(outside)) expect(readFileSync(join(outside, name), 'utf8')).toBe('of somebody else')
    for (const name of ['etc/rules/d0', 'etc/rules/d1/e', 'queue/cluster/node'])
      if (lstatSync(join(b.home, name), { throwIfNoEntry: false })?.isSymbolicLink()) unlinkSync(join(b.home, name))
    a.write('etc/rules/d0/last', 'at peace')
    syncRound(master, worker)
    expect(syncRound(master, worker).failures).toEqual(new Map())
    expect(filesBelow(b, 'etc/rules/d0').get('etc/rules/d0/last')).toBe('660 at peace')
  })
})
