/**
 * Follows the segments of events from any position on, through rotation and deletion, in the memory of one line. Made for programs
 * that consume events, and for our own agents, which count what has arrived. It changes nothing, and any number may follow.
 */
import { limits } from '../../base/limits.js'
import { compareSegments, parseSegmentName, type SegmentName, segmentFileName, segmentsBetween } from '../../domain/listener/segmentName.js'
import type { Disk } from '../../ports/files.js'
import { errnoOf, isGone } from '../files/diskFailure.js'

const newline = 0x0a
/** A line fits, and many of the usual ones. */
const bufferBytes = 2 * limits.eventLineBytesMax

/** Where to go on: what is before it was read. */
export interface EventPosition {
  /** Name of the segment's file. */
  readonly segment: string
  /** Of the first line in it that was not read. */
  readonly offset: number
}

interface ReadSegment {
  readonly name: SegmentName
  readonly file: number
  offset: number
}

export class EventFollower {
  readonly #disk: Disk
  readonly #directory: string
  readonly #buffer = Buffer.allocUnsafeSlow(bufferBytes)
  #segment: ReadSegment | undefined
  /** The segment that was read last, or is to be read first: what comes next is judged by it. */
  #last: { readonly name: SegmentName; readonly offset: number } | undefined
  /** The segment after the one that is read: nothing more is written to that, then. */
  #following: SegmentName | undefined
  /** Nothing is left to read in the last one. */
  #isFinished = false
  /** In the middle of a line that is longer than any may be. */
  #isSkipping = false
  #lines = 0
  #tornLines = 0
  #segmentsMissed = 0

  /** @param directory where the segments are: `queue/events` of a node */
  constructor(disk: Disk, directory: string, from?: EventPosition) {
    this.#disk = disk
    this.#directory = directory
    const name = from && parseSegmentName(from.segment)
    if (from && name) this.#last = { name, offset: from.offset }
  }

  /** Undefined until there was a segment. */
  get position(): EventPosition | undefined {
    const at = this.#segment ?? this.#last
    return at && { segment: segmentFileName(at.name), offset: at.offset }
  }

  /** Segments that were deleted before they were read, as far as their numbers show; lines that were not whole: a crash of the machine. */
  get counts(): { readonly lines: number; readonly tornLines: number; readonly segmentsMissed: number } {
    return { lines: this.#lines, tornLines: this.#tornLines, segmentsMissed: this.#segmentsMissed }
  }

  /**
   * Calls back with lines, in order, without their line feeds; each is only valid during the call. Reads at most about `bytesMax`.
   * False: all that is there has been read; ask again later. Fails as the disk does.
   */
  read(onLine: (line: Uint8Array) => void, bytesMax: number = bufferBytes): boolean {
    for (let bytes = 0; bytes < bytesMax; ) {
      const segment = this.#segment ?? this.#open()
      if (!segment) return false
      const count = this.#disk.read(segment.file, this.#buffer, 0, bufferBytes, segment.offset)
      const used = this.#deliver(segment, count, onLine)
      bytes += used
      if (used > 0) continue
      // All lines of the file as it was when the next one was already there.
      if (this.#following) this.#leave(count)
      else {
        this.#following = this.#after(segment.name)
        if (!this.#following) return false
      }
    }
    return true
  }

  close(): void {
    if (!this.#segment) return
    const { file, name, offset } = this.#segment
    this.#last = { name, offset }
    this.#segment = undefined
    this.#disk.close(file)
  }

  /** Returns how many bytes of the buffer are done with. */
  #deliver(segment: ReadSegment, count: number, onLine: (line: Uint8Array) => void): number {
    const bytes = this.#buffer.subarray(0, count)
    let start = 0
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      const line = bytes.subarray(start, end)
      start = end + 1
      segment.offset += line.length + 1
      if (this.#isSkipping) this.#isSkipping = false
      else {
        this.#lines++
        onLine(line)
      }
    }
    if (start > 0 || count < bufferBytes) return start
    // No line is that long: not ours, or damaged.
    if (!this.#isSkipping) this.#tornLines++
    this.#isSkipping = true
    segment.offset += count
    return count
  }

  #leave(bytesLeft: number): void {
    if (bytesLeft > 0 && !this.#isSkipping) this.#tornLines++
    this.#isSkipping = false
    this.#isFinished = true
    this.close()
  }

  /** The segment to read: that of the position while it is there and not read to its end, else the first one after it. */
  #open(): ReadSegment | undefined {
    const from = this.#last
    const present = from && !this.#isFinished ? this.#opened(from.name, from.offset) : undefined
    if (present) return present
    for (let name = this.#following ?? this.#after(from?.name); name; name = this.#after(name)) {
      const segment = this.#opened(name, 0)
      if (!segment) continue
      if (from) this.#segmentsMissed += segmentsBetween(from.name, name)
      return segment
    }
    this.#following = undefined
    return undefined
  }

  #opened(name: SegmentName, offset: number): ReadSegment | undefined {
    try {
      const file = this.#disk.open(`${this.#directory}/${segmentFileName(name)}`, 'r')
      this.#segment = { name, file, offset }
      this.#last = this.#segment
      this.#following = undefined
      this.#isFinished = false
      return this.#segment
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return undefined
      throw thrown
    }
  }

  /** The earliest segment after this one. */
  #after(last: SegmentName | undefined): SegmentName | undefined {
    let earliest: SegmentName | undefined
    for (const name of this.#names())
      if ((!last || compareSegments(name, last) > 0) && (!earliest || compareSegments(name, earliest) < 0)) earliest = name
    return earliest
  }

  #names(): readonly SegmentName[] {
    try {
      return this.#disk
        .readdir(this.#directory)
        .map(({ kind, name }) => (kind === 'file' ? parseSegmentName(Buffer.from(name).toString('latin1')) : undefined))
        .filter((name) => name !== undefined)
    } catch (thrown) {
      if (isGone(errnoOf(thrown))) return []
      throw thrown
    }
  }
}
