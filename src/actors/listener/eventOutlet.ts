/**
 * Where a listener's events go: lines to the segments of `queue/events`, and datagrams to a reader. What the disk does not take stays
 * in memory, up to a bound, and is tried again every second; meanwhile the listener reads no agent, so that they keep theirs.
 */
import { counted } from '../../base/counted.js'
import { GrowingBytes } from '../../base/growingBytes.js'
import { limits } from '../../base/limits.js'
import type { EventOptions, EventOutlet, EventSource, EventStore, ListenerOptions, LocalDatagrams } from '../../ports/listener.js'
import type { Clock, LogLevel } from '../../ports/machine.js'
import { EventLines } from '../../wire/agents/eventLine.js'
import { MinuteSum } from './minuteSum.js'
import { ReaderFeed } from './readerFeed.js'

const diskRetryMs = 1_000
const readerRetryMs = 5
/** More than this is written without waiting for the flush, and little more memory is kept. */
const gatheredBytes = 256 * 1024
const keptBytes = 2 * limits.eventLineBytesMax
const newline = 0x0a

export interface OutletPorts {
  readonly store: EventStore
  /** Nothing: events go to no reader, whether there is one or not. */
  readonly reader: LocalDatagrams | undefined
  readonly clock: Clock
  readonly log: (level: LogLevel, message: string) => void
}

export type OutletOptions = Pick<ListenerOptions, 'managerName' | 'cluster' | 'node' | 'hidden'> & {
  readonly events: Pick<EventOptions, 'bytesMax'>
}

export const createEventOutlet = (options: OutletOptions, ports: OutletPorts): EventOutlet => new NodeOutlet(options, ports)

class NodeOutlet implements EventOutlet {
  onReady: () => void = () => {}
  readonly #store: EventStore
  readonly #feed: ReaderFeed | undefined
  readonly #clock: Clock
  readonly #log: OutletPorts['log']
  readonly #lines: EventLines
  readonly #gathered = new GrowingBytes(keptBytes)
  #taken = 0
  #bytesTaken = 0
  #dropped = 0
  /** Of the last append, and when the next one may be tried. */
  #isFailing = false
  #retryMs = 0
  /** The listener waits for `onReady`. */
  #isHeld = false
  #timer: unknown
  readonly #sums: ReturnType<typeof sumsOf>

  constructor(options: OutletOptions, { clock, log, reader, store }: OutletPorts) {
    this.#store = store
    this.#clock = clock
    this.#log = log
    this.#feed = reader && new ReaderFeed(reader, clock)
    this.#lines = new EventLines(options)
    this.#sums = sumsOf(options, store, clock, log)
  }

  get counts(): EventOutlet['counts'] {
    return {
      eventsTaken: this.#taken,
      eventBytesTaken: this.#bytesTaken,
      eventsDropped: this.#dropped,
      segmentsDeleted: this.#store.segmentsDeleted,
    }
  }

  take(source: EventSource, message: Uint8Array, nowMs: number): void {
    const gathered = this.#gathered
    if (gathered.length > gatheredBytes) {
      this.#write()
      if (gathered.length + limits.eventLineBytesMax > limits.eventsPendingBytesMax) {
        this.#dropped++
        this.#sums.dropped.add(1)
        return
      }
    }
    this.#lines.append(gathered, source, message, nowMs)
    this.#taken++
    this.#bytesTaken += message.length
    this.#feed?.take(source, message)
  }

  flush(): boolean {
    if (this.#gathered.length > 0) this.#write()
    if (this.#feed) this.#feedReader(this.#feed)
    const isReady = this.#gathered.length === 0 && !this.#feed?.isBehind
    this.#arm()
    if (isReady && this.#isHeld) {
      this.#isHeld = false
      this.onReady()
    } else if (!isReady) this.#isHeld = true
    return isReady
  }

  close(): void {
    this.#retryMs = 0
    if (this.#gathered.length > 0) this.#write()
    const lost = this.#gathered.bytes.subarray(0, this.#gathered.length).filter((byte) => byte === newline).length
    this.#dropped += lost
    this.#gathered.length = 0
    this.#feed?.close()
    this.#sums.missed.add(this.#feed?.takeMissed() ?? 0)
    this.#store.close()
    if (this.#timer !== undefined) this.#clock.clearTimeout(this.#timer)
    this.#timer = undefined
    for (const sum of Object.values(this.#sums)) sum.close()
    if (lost > 0) this.#log('error', `${counted(lost, 'event')} lost at the stop: ${this.#store.failure?.message ?? ''}`)
  }

  /** All that is gathered; while the disk fails, only now and then. */
  #write(): void {
    if (this.#isFailing && this.#clock.monotonicMs() < this.#retryMs) return
    const gathered = this.#gathered
    const deletedBefore = this.#store.segmentsDeleted
    const done = this.#store.append(gathered.bytes.subarray(0, gathered.length))
    gathered.drop(done)
    this.#sums.deleted.add(this.#store.segmentsDeleted - deletedBefore)
    if (gathered.length > 0) {
      this.#isFailing = true
      this.#retryMs = this.#clock.monotonicMs() + diskRetryMs
      this.#sums.failures.add(1)
      return
    }
    gathered.shrink(keptBytes)
    if (this.#store.failure) this.#sums.undeleted.add(1)
    if (!this.#isFailing) return
    this.#isFailing = false
    this.#sums.failures.forget()
    this.#log('info', 'queue/events takes events again.')
  }

  #feedReader(feed: ReaderFeed): void {
    feed.send()
    this.#sums.missed.add(feed.takeMissed())
  }

  /** Tries again what waits: a reader soon, the disk after a while. */
  #arm(): void {
    if (this.#timer !== undefined) return
    const delayMs = this.#feed?.isWaiting ? readerRetryMs : diskRetryMs
    if (this.#gathered.length === 0 && !this.#feed?.isWaiting) return
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, delayMs)
  }
}

/** What goes wrong, a line a minute each. */
const sumsOf = ({ events }: OutletOptions, store: EventStore, clock: Clock, log: OutletPorts['log']) => {
  const logged = (level: LogLevel, sentence: (count: number) => string) => new MinuteSum(clock, (count) => log(level, sentence(count)))
  return {
    failures: logged('error', () => `${store.failure?.message ?? 'queue/events takes nothing.'} Agents are not read until it can be.`),
    dropped: logged('warning', (count) => `${counted(count, 'event')} dropped: queue/events takes none, and no more can wait in memory.`),
    undeleted: logged('warning', () => store.failure?.message ?? ''),
    deleted: logged(
      'info',
      (count) => `${counted(count, 'segment')} of queue/events deleted, the oldest: together they may have ${events.bytesMax} bytes.`,
    ),
    missed: logged(
      'warning',
      (count) => `The reader of queue/sockets/queue was too slow for ${counted(count, 'event')}; queue/events has them.`,
    ),
  }
}
