/** The receiving half of a session: bytes become frames, frames become records, no faster than the peer's share of the work allows. */
import { asClusterError, type ClusterError } from '../base/errors.js'
import type { Clock } from '../ports/machine.js'
import type { ByteStream } from '../ports/network.js'
import { FrameGatherer, type FrameOpener } from '../wire/muster/frames.js'
import { type RecordPosition, type RecordVisitor, visitRecords } from '../wire/muster/records.js'
import type { WorkShare } from './workShare.js'

export interface FrameEvents extends RecordVisitor {
  /** The frame is done: everything that it said has been visited. */
  onFrame(): void
  /** The peer broke the rules. The session reads nothing more. */
  onViolation(error: ClusterError): void
}

export interface FrameReaderOptions {
  readonly stream: Pick<ByteStream, 'pause' | 'resume'>
  readonly clock: Clock
  readonly opener: FrameOpener
  readonly frameBytesMax: number
  readonly counters: { framesReceived: number }
}

export class FrameReader {
  readonly #options: FrameReaderOptions
  readonly #gatherer: FrameGatherer
  #events: FrameEvents | undefined
  #share: WorkShare | undefined
  /** A frame of which not all records have been visited. */
  #frame: { readonly plain: Buffer; readonly position: RecordPosition } | undefined
  #isHeld = false
  #isClosed = false
  #isReading = false
  /** Runs while the peer's share is used up. */
  #rest: unknown
  readonly #isOver = (): boolean => this.#share?.isOver ?? false

  constructor(options: FrameReaderOptions) {
    this.#options = options
    this.#gatherer = new FrameGatherer(options.frameBytesMax)
  }

  hearWith(events: FrameEvents): void {
    this.#events = events
  }

  /** The peer is in. */
  open(frameBytesMax: number, share: WorkShare | undefined): void {
    this.#gatherer.plainBytesMax = frameBytesMax
    this.#share = share
  }

  onBytes(bytes: Uint8Array): void {
    if (this.#isClosed) return
    this.#gatherer.append(bytes)
    this.#read()
  }

  /** Reads nothing until `release`. */
  hold(): void {
    this.#isHeld = true
    this.#options.stream.pause()
  }

  release(): void {
    if (!this.#isHeld) return
    this.#isHeld = false
    this.#goOn()
  }

  /** Nothing is read any more; the stream flows, so that its end is noticed. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#frame = undefined
    const isPaused = this.#isHeld || this.#rest !== undefined
    this.#endRest()
    if (isPaused) this.#options.stream.resume()
  }

  #read(): void {
    if (this.#isReading) return
    this.#isReading = true
    this.#share?.begin()
    while (!this.#isClosed && !this.#isHeld && this.#rest === undefined) {
      const frame = this.#frame ?? this.#next()
      if (!frame) break
      this.#visit(frame)
      if (this.#isOver()) break
    }
    this.#isReading = false
    const restMs = this.#share?.end() ?? 0
    if (restMs > 0) this.#takeRest(restMs)
  }

  #next(): { readonly plain: Buffer; readonly position: RecordPosition } | undefined {
    const gathered = this.#gatherer.next()
    if (!gathered.ok) {
      this.#events?.onViolation(gathered.error)
      return undefined
    }
    if (!gathered.value) return undefined
    const opened = this.#options.opener.open(gathered.value)
    if (!opened.ok) {
      this.#events?.onViolation(opened.error)
      return undefined
    }
    this.#options.counters.framesReceived++
    return { plain: opened.value, position: { at: 0, records: 0 } }
  }

  #visit(frame: { readonly plain: Buffer; readonly position: RecordPosition }): void {
    const events = this.#events
    this.#frame = undefined
    if (!events) return
    try {
      const visited = visitRecords(frame.plain, events, frame.position, this.#isOver)
      if (!visited.ok) events.onViolation(visited.error)
      else if (visited.value === 'all') events.onFrame()
      else if (!this.#isClosed) this.#frame = frame
    } catch (thrown) {
      // Nothing that a peer says may take the process down; a bug of ours costs this link, and is reported.
      events.onViolation(asClusterError(thrown))
    }
  }

  #takeRest(restMs: number): void {
    if (this.#isClosed) {
      this.#share?.rested()
      return
    }
    this.#options.stream.pause()
    this.#rest = this.#options.clock.setTimeout(() => {
      this.#endRest()
      this.#goOn()
    }, restMs)
  }

  #endRest(): void {
    if (this.#rest !== undefined) this.#options.clock.clearTimeout(this.#rest)
    this.#rest = undefined
    this.#share?.rested()
  }

  #goOn(): void {
    if (this.#isClosed || this.#isHeld || this.#rest !== undefined) return
    this.#options.stream.resume()
    this.#read()
  }
}
