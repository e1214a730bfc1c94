/** Counters and merged files, on a real disk and on a simulated one. */
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { DiskListenerFiles } from '../../../src/disk/listener/listenerFiles.js'
import { createMemoryWorld, createNodeWorld, type DiskWorld } from '../../support/files/diskWorlds.js'

const counters = fc.record({ global: fc.integer({ min: 0, max: 9_999_999_999 }), local: fc.integer({ min: 0, max: 9_999 }) })

describe.each([
  ['a real disk', createNodeWorld],
  ['a simulated disk', createMemoryWorld],
])('on %s', (_, create) => {
  let world: DiskWorld | undefined
  const files = (): { readonly world: DiskWorld; readonly files: DiskListenerFiles } => {
    world = create()
    return { world, files: new DiskListenerFiles(world.disk, world.home) }
  }

  afterEach(() => world?.dispose())

  it('a counter is read as it was written last, in the form of Wazuh', () => {
    const { files: own, world: disk } = files()
    expect(own.readCounter(1)).toBeUndefined()
    fc.assert(
      fc.property(counters, (counter) => {
        own.writeCounter('sender', counter)
        expect(own.readCounter('sender')).toEqual(counter)
        expect(disk.read('queue/rids/sender_counter')).toBe(`${counter.global}:${counter.local}:`)
      }),
      { numRuns: 30 },
    )
    own.writeCounter(7, { global: 0, local: 12 })
    expect(disk.read('queue/rids/007')).toBe('0:12:')
  })

  it('a counter that cannot be read counts as missing, and what is not a file is refused', () => {
    const { files: own, world: disk } = files()
    disk.write('queue/rids/001', '')
    disk.write('queue/rids/002', 'nonsense')
    disk.mkdir('queue/rids/003')
    expect([own.readCounter(1), own.readCounter(2)]).toEqual([undefined, undefined])
    expect(() => own.writeCounter(3, { global: 0, local: 1 })).toThrow("'queue/rids/003' is not a file.")
  })

  it('a counter is never written through a link', () => {
    const { files: own, world: disk } = files()
    disk.write('etc/ossec.conf', 'precious')
    disk.mkdir('queue/rids')
    disk.symlink('../../etc/ossec.conf', 'queue/rids/001')
    expect(() => own.writeCounter(1, { global: 0, local: 1 })).toThrow()
    expect(disk.read('etc/ossec.conf')).toBe('precious')
  })

  it('a merged file is read whole, and one that leads out of the home is refused', () => {
    const { files: own, world: disk } = files()
    disk.write('etc/shared/web/merged.mg', '#web\n')
    disk.symlink('/', 'etc/shared/out')
    expect(Buffer.from(own.readMerged('etc/shared/web/merged.mg') ?? []).toString()).toBe('#web\n')
    expect(own.readMerged('etc/shared/db/merged.mg')).toBeUndefined()
    expect(() => own.readMerged('etc/shared/out/merged.mg')).toThrow('leads out of the home')
  })
})
