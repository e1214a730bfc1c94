/** Scans of a simulated tree: those of a disk on which nothing has changed are answered without one, and no other. */
import { describe, expect, it } from 'vitest'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { createSimulatedFiles } from '../../../src/simulation/world/simulatedFiles.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { WatchedDisk } from '../../../src/simulation/world/watchedDisk.js'
import { synced } from '../../support/files/treeArbitraries.js'

const home = '/home'
const { signal } = new AbortController()

/** Counts what is read of the disk. */
class CountingDisk extends WatchedDisk {
  listings = 0

  override readdir(path: string): ReturnType<WatchedDisk['readdir']> {
    this.listings += 1
    return super.readdir(path)
  }
}

const setUp = async () => {
  const clock = new VirtualClock()
  const memory = new MemoryDisk({ now: () => clock.now() })
  for (const { dir } of synced.items) memory.makeDirectories(`${home}/${dir}`)
  const dir = `${home}/${synced.items.find(({ files }) => files === 'all')?.dir ?? ''}`
  memory.edit(`${dir}/a`, Buffer.from('a'))
  const disk = new CountingDisk(memory, () => undefined)
  const files = createSimulatedFiles(disk, clock, { home, synced, role: 'master', stageDir: `${home}/queue/cluster/master`, changes: disk })
  const scan = async (paths?: readonly string[]) => {
    const before = disk.listings
    const scanning = files.scan(paths, signal)
    await clock.advance(1)
    const { problems, removals, upserts } = await scanning
    return { found: [...upserts.map(({ path }) => path), ...removals], problems: problems.length, hasRead: disk.listings > before }
  }
  for (let scans = 0; scans < 3; scans++) await scan()
  return { dir, memory, scan }
}

const nothing = { found: [], problems: 0 }

describe('a scan of everything', () => {
  it('reads nothing when the two before found nothing and nothing has changed since', async () => {
    const { scan } = await setUp()
    expect(await scan()).toEqual({ ...nothing, hasRead: false })
  })

  it.each([
    ['an edit', (memory: MemoryDisk, dir: string) => memory.edit(`${dir}/b`, Buffer.from('b')), ['b']],
    ['a mode', (memory: MemoryDisk, dir: string) => memory.setMode(`${dir}/a`, 0o600), []],
    ['a removal', (memory: MemoryDisk, dir: string) => memory.remove(`${dir}/a`), ['a']],
    ['a loss of power', (memory: MemoryDisk) => memory.crash(), []],
  ] as const)('reads everything after %s', async (_, change, found) => {
    const { dir, memory, scan } = await setUp()
    change(memory, dir)
    expect(await scan()).toEqual({ ...nothing, found: found.map((name) => `${dir.slice(home.length + 1)}/${name}`), hasRead: true })
  })

  it('finds what fails, and that it fails no more', async () => {
    const { dir, memory, scan } = await setUp()
    const repair = memory.fail({ operation: 'readdir', code: 'EIO', path: dir })
    expect(await scan()).toMatchObject({ problems: 1, hasRead: true })
    expect(await scan()).toMatchObject({ problems: 0, hasRead: true })
    repair()
    expect(await scan()).toMatchObject({ hasRead: true, found: [expect.stringContaining('/a')] })
  })

  it('hashes again what was written shortly before the scan that found it', async () => {
    const { dir, memory, scan } = await setUp()
    memory.edit(`${dir}/a`, Buffer.from('b'))
    await scan([`${dir.slice(home.length + 1)}/a`])
    expect(await scan()).toEqual({ ...nothing, hasRead: true })
    expect(await scan()).toEqual({ ...nothing, hasRead: true })
    expect(await scan()).toEqual({ ...nothing, hasRead: false })
  })

  it('reads everything after a scan of single paths', async () => {
    const { dir, scan } = await setUp()
    await scan([dir.slice(home.length + 1)])
    expect(await scan()).toEqual({ ...nothing, hasRead: true })
  })
})
