import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createEventOutlet } from '../../../src/actors/listener/eventOutlet.js'
import { limits } from '../../../src/base/limits.js'
import { EventFollower } from '../../../src/disk/listener/eventFollower.js'
import { EventSegments } from '../../../src/disk/listener/eventSegments.js'
import { MemoryDatagrams } from '../../../src/simulation/world/memoryDatagrams.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { VirtualClock } from '../../../src/simulation/world/virtualClock.js'
import { readEventLine } from '../../../src/wire/agents/eventRecord.js'

const home = '/var/ossec'
const source = { id: 1, name: 'web', ip: 'any' }

class Outlet {
  readonly clock = new VirtualClock()
  readonly disk: MemoryDisk
  readonly reader = new MemoryDatagrams()
  readonly log: string[] = []
  readonly outlet
  ready = 0
  /** Events of which the outlet said that they are written. */
  flushed = 0
  given = 0

  constructor({ bytesMax = 100_000_000, capacityBytes = Number.POSITIVE_INFINITY } = {}) {
    this.disk = new MemoryDisk({ now: () => this.clock.now(), capacityBytes })
    this.disk.makeDirectories(home)
    this.outlet = createEventOutlet(
      { managerName: 'manager', cluster: 'muster', node: 'node-1', hidden: true, events: { bytesMax } },
      {
        store: new EventSegments(this.disk, { home, segmentBytesMax: 2_000, bytesMax }),
        reader: this.reader,
        clock: this.clock,
        log: (_, line) => this.log.push(line),
      },
    )
    this.outlet.onReady = () => {
      this.ready++
      this.flushed = this.given
    }
  }

  take(count = 1, bytes = 10): this {
    for (let index = 0; index < count; index++)
      this.outlet.take(source, Buffer.from(`1:x:${String(this.given++).padEnd(bytes)}`), this.clock.now())
    return this
  }

  flush(): boolean {
    const isReady = this.outlet.flush()
    if (isReady) this.flushed = this.given
    return isReady
  }

  /** Numbers of the events that are in the segments, in order. */
  get kept(): number[] {
    const kept: number[] = []
    const follower = new EventFollower(this.disk, `${home}/queue/events`)
    const onLine = (line: Uint8Array): void => {
      const record = readEventLine(line)
      expect(record.ok).toBe(true)
      if (record.ok) kept.push(Number(record.value.full_log))
    }
    while (follower.read(onLine)) {}
    follower.close()
    return kept
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ take: fc.nat(8), bytes: fc.nat(300) }) },
  { weight: 5, arbitrary: fc.constant('flush' as const) },
  { weight: 2, arbitrary: fc.record({ passMs: fc.nat(3_000) }) },
  { weight: 1, arbitrary: fc.constantFrom('failing' as const, 'healed' as const) },
  { weight: 1, arbitrary: fc.record({ fill: fc.nat(6_000) }) },
  { weight: 1, arbitrary: fc.record({ room: fc.constantFrom(0, 3, 1_000), isThere: fc.boolean() }) },
)

describe('where events go', () => {
  it('has what was flushed in the segments once and in order, whatever the disk does, and after a kill', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.boolean(), async (steps, isKilled) => {
        const world = new Outlet({ capacityBytes: 8_000 })
        for (const one of steps) {
          if (one === 'flush') world.flush()
          else if (one === 'failing') world.disk.fail({ operation: 'write', code: 'EIO' })
          else if (one === 'healed') world.disk.heal()
          else if ('take' in one) world.take(one.take, one.bytes)
          else if ('passMs' in one) await world.clock.advance(one.passMs)
          else if ('fill' in one) world.disk.edit('/filler', new Uint8Array(one.fill))
          else Object.assign(world.reader, one)
        }
        if (!isKilled) {
          world.disk.heal()
          world.outlet.close()
          expect(world.clock.pending).toBe(0)
          expect(world.outlet.counts.eventsTaken).toBe(world.given)
          expect(world.kept.length + world.outlet.counts.eventsDropped).toBe(world.given)
        }
        expect(world.kept).toEqual(upTo(world.kept.length))
        expect(world.kept.length).toBeGreaterThanOrEqual(world.flushed)
      }),
      { numRuns: 200 },
    ))

  it('gives a reader every event in order while it takes some now and then', async () => {
    const world = new Outlet()
    world.reader.room = 0
    for (let round = 0; round < 50; round++) {
      world.take(7).flush()
      world.reader.room += 5
      await world.clock.advance(1_000)
    }
    world.reader.room = 1_000
    await world.clock.advance(1_000)
    expect(world.reader.taken.map(String)).toEqual(upTo(350).map((number) => `1:[001] (web) any->x:${String(number).padEnd(10)}\0`))
    expect(world.clock.pending).toBe(0)
  })

  it('holds agents back while the disk takes nothing, tries every second, and loses nothing', async () => {
    const world = new Outlet()
    world.disk.fail({ operation: 'open', code: 'ENOSPC' })
    expect(world.take(5).flush()).toBe(false)
    await world.clock.advance(3_600_000)
    expect(world.ready).toBe(0)
    world.disk.heal()
    await world.clock.advance(1_000)
    expect(world.ready).toBe(1)
    expect(world.kept).toEqual(upTo(5))
    expect(world.log.filter((line) => line.includes('ENOSPC'))).toHaveLength(61)
    expect(world.log.at(-1)).toBe('queue/events takes events again.')
    // The failures of the last minute are over, and no line of them comes after it.
    await world.clock.advance(60_000)
    expect(world.log.at(-1)).toBe('queue/events takes events again.')
  })

  it('drops and counts what finds no room in memory during an hour of a full disk, with a line a minute', async () => {
    const world = new Outlet()
    world.reader.isThere = false
    world.disk.fail({ operation: 'write', code: 'ENOSPC' })
    const message = Buffer.concat([Buffer.from('1:x:'), Buffer.alloc(60_000, 1)])
    for (let minute = 0; minute < 60; minute++) {
      for (let count = 0; count < 5; count++) world.outlet.take(source, message, world.clock.now())
      world.flush()
      await world.clock.advance(60_000)
    }
    const { eventsDropped, eventsTaken } = world.outlet.counts
    expect(eventsTaken + eventsDropped).toBe(300)
    expect(eventsTaken).toBeLessThan(limits.eventsPendingBytesMax / 360_000)
    expect(world.log.filter((line) => line.includes('dropped')).length).toBeLessThanOrEqual(60)
    world.disk.heal()
    await world.clock.advance(1_000)
    expect(world.kept).toHaveLength(eventsTaken)
  })

  it('waits a while for a reader that takes nothing, then goes on without it and counts what it misses', async () => {
    const world = new Outlet()
    world.reader.room = 0
    while (world.flush()) world.take(10, 60_000)
    await world.clock.advance(limits.eventReaderStallMsMax - 10)
    expect(world.ready).toBe(0)
    await world.clock.advance(20)
    expect(world.ready).toBe(1)
    expect(world.take(10).flush()).toBe(true)
    expect(world.kept).toEqual(upTo(world.given))
    await world.clock.advance(60_000)
    expect(world.log).toEqual([
      `The reader of queue/sockets/queue was too slow for ${world.given - 10} events; queue/events has them.`,
      'The reader of queue/sockets/queue was too slow for 10 events; queue/events has them.',
    ])
    world.reader.room = 1_000
    world.take(3).flush()
    expect(world.reader.taken).toHaveLength(3)
  })

  it('gives a reader events from the second on in which it comes', async () => {
    const world = new Outlet()
    world.reader.isThere = false
    world.take(3).flush()
    world.reader.isThere = true
    world.take(3).flush()
    expect(world.reader.taken).toHaveLength(0)
    await world.clock.advance(1_000)
    world.take(3).flush()
    expect(world.reader.taken).toHaveLength(3)
    expect(world.log).toEqual([])
  })

  it('says once a minute how many segments were deleted', async () => {
    const world = new Outlet({ bytesMax: 10_000 })
    for (let round = 0; round < 100; round++) {
      world.take(10).flush()
      await world.clock.advance(1_000)
    }
    world.outlet.close()
    const deleted = world.log.map((line) => Number(line.split(' ')[0]))
    expect(deleted.length).toBe(3)
    expect(deleted.reduce((sum, count) => sum + count)).toBe(world.outlet.counts.segmentsDeleted)
  })

  it('says at a stop what could not be written', () => {
    const world = new Outlet()
    world.disk.fail({ operation: 'write', code: 'EIO' })
    world.take(4).flush()
    world.outlet.close()
    expect(world.outlet.counts.eventsDropped).toBe(4)
    expect(world.log.at(-1)).toMatch(/^4 events lost at the stop: .*EIO/)
  })
})
