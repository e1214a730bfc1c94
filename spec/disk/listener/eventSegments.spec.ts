import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EventFollower } from '../../../src/disk/listener/eventFollower.js'
import { EventSegments } from '../../../src/disk/listener/eventSegments.js'
import { MemoryDisk } from '../../../src/simulation/world/memoryDisk.js'
import { DiskError } from '../../../src/simulation/world/tree/memoryNode.js'

const home = '/var/ossec'
const directory = `${home}/queue/events`
const encoded = (text: string): Uint8Array => new Uint8Array(Buffer.from(text))

/** A node's events on a disk: what was given to its segments and taken, in order, by numbers. */
class Segmented {
  nowMs = 1_800_000_000_000
  readonly disk: MemoryDisk
  readonly taken: number[] = []
  readonly options: { readonly home: string; readonly segmentBytesMax: number; readonly bytesMax: number }
  segments: EventSegments
  #next = 0
  #pending: string[] = []

  constructor({ bytesMax = 1_000_000, capacityBytes = Number.POSITIVE_INFINITY, segmentBytesMax = 400 } = {}) {
    this.disk = new MemoryDisk({ now: () => this.nowMs, capacityBytes })
    this.disk.makeDirectories(home)
    this.options = { home, segmentBytesMax, bytesMax }
    this.segments = new EventSegments(this.disk, this.options)
  }

  give(...sizes: readonly number[]): this {
    for (const size of sizes) this.#pending.push(`${this.#next++}${' '.repeat(size)}\n`)
    const text = this.#pending.join('')
    let bytes = this.segments.append(encoded(text))
    while (bytes > 0) {
      const line = this.#pending.shift() ?? ''
      expect(bytes).toBeGreaterThanOrEqual(line.length)
      bytes -= line.length
      this.taken.push(Number.parseInt(line, 10))
    }
    return this
  }

  /** The process is killed: what it had in memory is lost, and it starts again. */
  restart(): void {
    this.disk.killProcess()
    this.#pending = []
    this.segments = new EventSegments(this.disk, this.options)
  }

  get names(): string[] {
    return this.disk
      .readdir(directory)
      .map(({ name }) => Buffer.from(name).toString())
      .sort()
  }

  get contents(): string[] {
    return this.names.map((name) => this.disk.contentOf(`${directory}/${name}`).toString())
  }

  get kept(): number[] {
    return this.contents.flatMap((content) => content.split('\n').slice(0, -1)).map((line) => Number.parseInt(line, 10))
  }

  get bytes(): number {
    return this.contents.reduce((sum, content) => sum + content.length, 0)
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ give: fc.array(fc.nat(150), { minLength: 1, maxLength: 6 }) }) },
  { weight: 2, arbitrary: fc.record({ failAfter: fc.nat(12), code: fc.constantFrom('EIO', 'ENOSPC', 'EROFS') }) },
  { weight: 1, arbitrary: fc.record({ fill: fc.nat(4_000) }) },
  { weight: 1, arbitrary: fc.record({ passMs: fc.integer({ min: -5_000, max: 5_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ restart: true }) },
  { weight: 1, arbitrary: fc.record({ read: fc.nat(1_000), reopens: fc.boolean() }) },
)
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never

const take = (world: Segmented, one: Step): void => {
  if ('give' in one) world.give(...one.give)
  else if ('failAfter' in one) {
    let calls = 0
    world.disk.onStep = (operation, path) => {
      // A close that fails has closed the file.
      if (operation === 'close' || calls++ < one.failAfter || !path.startsWith(directory)) return
      world.disk.onStep = undefined
      throw new DiskError(one.code, operation, path)
    }
  } else if ('fill' in one) world.disk.edit('/filler', new Uint8Array(one.fill))
  else if ('passMs' in one) world.nowMs += one.passMs
  else if ('restart' in one) world.restart()
}

describe('segments of events', () => {
  it('have what was taken once, in order, in whole lines, through faults, full disks and kills', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = new Segmented({ capacityBytes: 2_500 })
        for (const one of steps) take(world, one)
        world.disk.onStep = undefined
        world.disk.remove('/filler')
        world.give(1)
        expect(world.kept).toEqual(world.taken)
        expect(world.disk.openFiles).toBeLessThanOrEqual(1)
      }),
      { numRuns: 300 },
    ))

  it('are never larger than they may be together, and keep the newest', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = new Segmented({ bytesMax: 1_000 })
        for (const one of steps.filter((each) => !('failAfter' in each) && !('fill' in each))) {
          take(world, one)
          if (world.taken.length > 0) expect(world.bytes).toBeLessThanOrEqual(1_000)
        }
        world.give(1)
        const { kept, taken } = world
        expect(kept).toEqual(taken.slice(-kept.length))
        expect(kept.length).toBeGreaterThan(0)
      }),
    ))

  it('are followed to the last line, from any position, and a gap is known', () =>
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, isSmall) => {
        const world = new Segmented(isSmall ? { bytesMax: 1_000 } : { capacityBytes: 2_500 })
        const read: number[] = []
        let missed = 0
        let follower = new EventFollower(world.disk, directory)
        const onLine = (line: Uint8Array): void => {
          read.push(Number.parseInt(Buffer.from(line).toString(), 10))
        }
        for (const one of steps) {
          take(world, one)
          if ('restart' in one || ('read' in one && one.reopens)) {
            if (!('restart' in one)) follower.close()
            missed += follower.counts.segmentsMissed
            follower = new EventFollower(world.disk, directory, follower.position)
          }
          if ('read' in one && !world.disk.onStep) follower.read(onLine, one.read)
        }
        world.disk.onStep = undefined
        world.give(1)
        while (follower.read(onLine)) {}
        follower.close()
        missed += follower.counts.segmentsMissed
        if (missed === 0 && !isSmall) expect(read).toEqual(world.taken)
        expect(read).toEqual([...new Set(read)].sort((a, b) => a - b))
        expect(world.taken).toEqual(expect.arrayContaining(read))
        // What is still there, at least, was read.
        expect(read).toEqual(expect.arrayContaining(world.kept))
      }),
      { numRuns: 300 },
    ))

  it('are files of 0640 in a directory of 0750, with names that sort as they were begun', () => {
    const world = new Segmented()
    world.give(300, 300)
    world.nowMs -= 60_000
    world.restart()
    world.give(300)
    expect(world.disk.stat(directory).mode).toBe(0o750)
    expect(world.names.map((name) => world.disk.stat(`${directory}/${name}`).mode)).toEqual([0o640, 0o640, 0o640])
    expect(world.names).toEqual([
      'events-1800000000000-00000001.jsonl',
      'events-1800000000001-00000002.jsonl',
      'events-1800000000002-00000003.jsonl',
    ])
    expect(world.kept).toEqual([0, 1, 2])
  })

  it('take a line that is longer than a segment', () => expect(new Segmented().give(10, 1_000, 10).kept).toEqual([0, 1, 2]))

  it('go on in another file within a second when theirs was deleted or cut', () => {
    for (const harm of [
      (world: Segmented) => world.disk.remove(`${directory}/${world.names[0]}`),
      (world: Segmented) => world.disk.edit(`${directory}/${world.names[0]}`, new Uint8Array(1)),
    ]) {
      const world = new Segmented().give(10)
      harm(world)
      world.nowMs += 1_000
      expect(world.give(10).contents.at(-1)).toMatch(/^1 +\n$/)
    }
  })

  it('say why nothing can be written where something else is, and go on when it is gone', () => {
    for (const plant of [
      (disk: MemoryDisk) => disk.edit(directory, new Uint8Array(1)),
      (disk: MemoryDisk) => disk.makeSymlink('/nowhere', directory),
      (disk: MemoryDisk) => disk.makeOther(directory),
    ]) {
      const world = new Segmented()
      world.disk.makeDirectories(`${home}/queue`)
      plant(world.disk)
      world.give(1)
      expect(world.taken).toEqual([])
      expect(world.segments.failure?.message).toContain("'queue/events' could not be written")
      world.disk.remove(directory)
      expect(world.give(1).kept).toEqual([0, 1])
      expect(world.segments.failure).toBeUndefined()
    }
  })

  it('may lie on another disk behind a link, and leave the files of others alone', () => {
    const world = new Segmented({ bytesMax: 800 })
    world.disk.makeDirectories('/big')
    world.disk.makeDirectories(`${home}/queue`)
    world.disk.makeSymlink('/big', directory)
    world.disk.edit('/big/notes.txt', new Uint8Array(10_000))
    world.disk.makeSymlink('/etc/passwd', '/big/events-1000000000000-00000001.jsonl')
    for (let count = 0; count < 20; count++) world.give(100)
    expect(world.disk.lstat('/big/notes.txt').size).toBe(10_000)
    expect(world.disk.lstat('/big/events-1000000000000-00000001.jsonl').kind).toBe('symlink')
  })

  it('leave no file for each try while a disk takes none', () => {
    const world = new Segmented()
    world.disk.fail({ operation: 'write', code: 'EIO' })
    for (let tries = 0; tries < 100; tries++) world.give(1)
    expect(world.names).toEqual([])
    world.disk.heal()
    expect(world.give(1).kept).toHaveLength(101)
  })
})

describe('what follows segments', () => {
  it('skips lines that a loss of power tore, and counts them', () => {
    const world = new Segmented()
    world.disk.edit(`${directory}/events-1700000000000-00000001.jsonl`, encoded('0\n1\n2 torn'))
    world.disk.edit(`${directory}/events-1700000000001-00000002.jsonl`, encoded('3\n'))
    const lines: string[] = []
    const follower = new EventFollower(world.disk, directory)
    expect(follower.read((line) => lines.push(Buffer.from(line).toString()))).toBe(false)
    expect(lines).toEqual(['0', '1', '3'])
    expect(follower.counts).toEqual({ lines: 3, tornLines: 1, segmentsMissed: 0 })
  })

  it('skips a line that is longer than any may be, in the memory of one buffer', () => {
    const world = new Segmented()
    world.disk.edit(`${directory}/events-1700000000000-00000001.jsonl`, encoded(`0\n${'x'.repeat(5_000_000)}\n1\n`))
    const lines: string[] = []
    const follower = new EventFollower(world.disk, directory)
    while (follower.read((line) => lines.push(Buffer.from(line).toString()))) {}
    expect(lines).toEqual(['0', '1'])
    expect(follower.counts.tornLines).toBe(1)
  })

  it('misses nothing that is written while it is at the end of a segment', () => {
    const world = new Segmented().give(10)
    const read: string[] = []
    const follower = new EventFollower(world.disk, directory)
    world.disk.onStep = (operation) => {
      if (operation !== 'readdir' || read.length === 0) return
      world.disk.onStep = undefined
      world.give(100, 300, 300)
    }
    while (follower.read((line) => read.push(Buffer.from(line).toString().trim()))) {}
    expect(read).toEqual(['0', '1', '2', '3'])
  })

  it('counts segments that went before they were read, and waits for a directory that is not there', () => {
    const world = new Segmented()
    const follower = new EventFollower(world.disk, directory)
    expect(follower.read(() => {})).toBe(false)
    world.give(300)
    follower.read(() => {})
    world.give(300, 300, 300, 300)
    for (const name of world.names.slice(1, 3)) world.disk.remove(`${directory}/${name}`)
    follower.read(() => {})
    expect(follower.counts).toEqual({ lines: 3, tornLines: 0, segmentsMissed: 2 })
  })
})
