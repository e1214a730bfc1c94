/**
 * Events on the disk: lines in segments under `queue/events`, as many as there is room for. Each start begins a segment of its own,
 * so that nothing is ever appended to what a crash may have torn. A line is in a segment whole, or it is the last one of its file
 * and has no line feed; a reader skips that, because it is in the next segment again.
 */
import type { ClusterError } from '../../base/errors.js'
import { limits } from '../../base/limits.js'
import { compareSegments, nextSegment, parseSegmentName, type SegmentName, segmentFileName } from '../../domain/listener/segmentName.js'
import type { Disk } from '../../ports/files.js'
import type { EventStore } from '../../ports/listener.js'
import { makeDirectory } from '../agents/makeDirectory.js'
import { diskError, errnoOf, isGone } from '../files/diskFailure.js'

export const eventsPath = 'queue/events'

const directoryMode = 0o750
const fileMode = 0o640
const newline = 0x0a
/** How often to check that no other program has deleted or cut the segment. */
const checkIntervalMs = 1_000
/** Files of others that stand where a segment is to be. */
const namesTriedMax = 16

export interface SegmentOptions {
  /** The manager's directory. */
  readonly home: string
  /** A segment is ended before it has more bytes than this; half of `bytesMax` at most. */
  readonly segmentBytesMax: number
  /** The oldest segments go when all together would have more than this. */
  readonly bytesMax: number
}

interface EndedSegment {
  readonly name: SegmentName
  readonly bytes: number
}

interface OpenSegment {
  readonly name: SegmentName
  readonly file: number
  /** Of the lines that are whole. */
  bytes: number
  /** Behind them stands a part of a line. */
  isTorn: boolean
  checkedMs: number
}

/** A full disk takes more later, in the same file. */
const isFull = (failure: ClusterError): boolean => failure.code === 'diskFull'

export class EventSegments implements EventStore {
  readonly #disk: Disk
  readonly #directory: string
  readonly #bytesMax: number
  readonly #segmentBytesMax: number
  /** The oldest first; undefined until the directory was read. */
  #ended: EndedSegment[] | undefined
  #endedBytes = 0
  #last: SegmentName | undefined
  #segment: OpenSegment | undefined
  #failure: ClusterError | undefined
  #segmentsDeleted = 0

  constructor(disk: Disk, { bytesMax, home, segmentBytesMax }: SegmentOptions) {
    this.#disk = disk
    this.#directory = `${home}/${eventsPath}`
    this.#bytesMax = bytesMax
    this.#segmentBytesMax = Math.min(segmentBytesMax, Math.floor(bytesMax / 2))
  }

  get failure(): ClusterError | undefined {
    return this.#failure
  }

  get segmentsDeleted(): number {
    return this.#segmentsDeleted
  }

  append(lines: Uint8Array): number {
    this.#failure = undefined
    let done = 0
    while (done < lines.length) {
      const segment = this.#opened()
      if (!segment) break
      const end = wholeLines(lines, done, this.#segmentBytesMax - segment.bytes, segment.bytes === 0)
      if (end === done) this.#end()
      else {
        done = this.#write(segment, lines, done, end)
        if (done < end) break
      }
    }
    return done
  }

  close(): void {
    const segment = this.#segment
    if (!segment) return
    if (segment.isTorn) this.#tolerated(() => this.#disk.truncate(segment.file, segment.bytes))
    this.#end()
  }

  /** Returns where it stopped: at the end, or behind the last line that is whole. What is written of the next is written again. */
  #write(segment: OpenSegment, lines: Uint8Array, start: number, end: number): number {
    let at = start
    try {
      while (at < end) at += this.#disk.write(segment.file, lines, at, end - at, segment.bytes + at - start)
    } catch (thrown) {
      this.#failure = diskError(`${eventsPath}/${segmentFileName(segment.name)}`, thrown, 'written')
    }
    const whole = at === start ? start : Math.max(start, lines.lastIndexOf(newline, at - 1) + 1)
    segment.bytes += whole - start
    segment.isTorn = at > whole
    if (this.#failure && !isFull(this.#failure)) this.#giveUp(segment)
    return whole
  }

  /** The segment to write to; nothing when there can be none at the moment. */
  #opened(): OpenSegment | undefined {
    if (this.#segment && !this.#isSound(this.#segment)) this.#end()
    if (this.#segment) return this.#segment
    try {
      const ended = this.#ended ?? this.#readDirectory()
      this.#makeRoom(ended)
      this.#segment = this.#begin()
    } catch (thrown) {
      this.#failure = diskError(eventsPath, thrown, 'written')
    }
    return this.#segment
  }

  /** Whether the file still has its name and all that was written to it. */
  #isSound(segment: OpenSegment): boolean {
    const nowMs = this.#disk.now()
    if (Math.abs(nowMs - segment.checkedMs) < checkIntervalMs) return true
    segment.checkedMs = nowMs
    try {
      const { links, size } = this.#disk.fstat(segment.file)
      if (links > 0 && size >= segment.bytes) return true
      segment.bytes = links > 0 ? size : 0
    } catch (thrown) {
      if (errnoOf(thrown) === undefined) throw thrown
    }
    return false
  }

  #readDirectory(): EndedSegment[] {
    this.#makeDirectory()
    const ended: EndedSegment[] = []
    for (const { kind, name: raw } of this.#disk.readdir(this.#directory)) {
      const fileName = Buffer.from(raw).toString('latin1')
      const name = kind === 'file' ? parseSegmentName(fileName) : undefined
      if (name) ended.push({ name, bytes: this.#sizeOf(fileName) })
    }
    ended.sort((a, b) => compareSegments(a.name, b.name))
    this.#endedBytes = ended.reduce((sum, { bytes }) => sum + bytes, 0)
    this.#last = ended.at(-1)?.name
    this.#ended = ended
    return ended
  }

  #sizeOf(fileName: string): number {
    try {
      return this.#disk.lstat(`${this.#directory}/${fileName}`).size
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return 0
      throw thrown
    }
  }

  #makeDirectory(): void {
    try {
      makeDirectory(this.#disk, this.#directory.slice(0, this.#directory.lastIndexOf('/')))
      this.#disk.mkdir(this.#directory, directoryMode)
    } catch (thrown) {
      if (errnoOf(thrown) !== 'EEXIST') throw thrown
    }
  }

  /** For one more segment. What cannot be deleted is tried again with the next one. */
  #makeRoom(ended: EndedSegment[]): void {
    let kept = 0
    while (kept < ended.length && (this.#endedBytes + this.#segmentBytesMax > this.#bytesMax || ended.length >= limits.eventSegmentsMax)) {
      const oldest = ended[kept] as EndedSegment
      try {
        this.#disk.unlink(`${this.#directory}/${segmentFileName(oldest.name)}`)
        this.#segmentsDeleted++
      } catch (thrown) {
        if (!isGone(errnoOf(thrown))) {
          this.#failure = diskError(`${eventsPath}/${segmentFileName(oldest.name)}`, thrown, 'deleted')
          kept++
          continue
        }
      }
      this.#endedBytes -= oldest.bytes
      ended.splice(kept, 1)
    }
  }

  #begin(): OpenSegment {
    for (let tries = 1; ; tries++) {
      const name = nextSegment(this.#last, this.#disk.now())
      try {
        const file = this.#disk.open(`${this.#directory}/${segmentFileName(name)}`, 'wx', fileMode)
        this.#last = name
        // The umask may have taken bits away.
        this.#tolerated(() => this.#disk.chmod(file, fileMode))
        return { name, file, bytes: 0, isTorn: false, checkedMs: this.#disk.now() }
      } catch (thrown) {
        const errno = errnoOf(thrown)
        if (tries === namesTriedMax || (errno !== 'EEXIST' && errno !== 'ENOENT')) throw thrown
        if (errno === 'EEXIST') this.#last = name
        else this.#makeDirectory()
      }
    }
  }

  #end(): void {
    const segment = this.#segment
    if (!segment) return
    this.#segment = undefined
    this.#tolerated(() => this.#disk.close(segment.file))
    this.#ended?.push({ name: segment.name, bytes: segment.bytes })
    this.#endedBytes += segment.bytes
  }

  /** The file takes nothing more: the next append begins another. */
  #giveUp(segment: OpenSegment): void {
    if (segment.isTorn) this.#tolerated(() => this.#disk.truncate(segment.file, segment.bytes))
    this.#end()
    if (segment.bytes > 0) return
    // An hour of tries must not leave a file each.
    this.#tolerated(() => {
      this.#disk.unlink(`${this.#directory}/${segmentFileName(segment.name)}`)
      this.#ended?.pop()
    })
  }

  /** For what is only tidiness: a disk that fails has been reported already. */
  #tolerated(work: () => void): void {
    try {
      work()
    } catch (thrown) {
      if (errnoOf(thrown) === undefined) throw thrown
    }
  }
}

/** Where the lines end that fit into `room`; at the end of the first one when `takesOne` and it does not fit. */
const wholeLines = (lines: Uint8Array, start: number, room: number, takesOne: boolean): number => {
  if (lines.length - start <= room) return lines.length
  const end = room > 0 ? lines.lastIndexOf(newline, start + room - 1) + 1 : start
  if (end > start) return end
  return takesOne ? lines.indexOf(newline, start) + 1 : start
}
