/** Reads the events of this run back from the segments of the nodes, while they come and until all have. */
import { join } from 'node:path'
import { EventFollower } from '../../disk/listener/eventFollower.js'
import { eventsPath } from '../../disk/listener/eventSegments.js'
import { ReceivedEvents } from '../../domain/fleet/eventAccount.js'
import { parseEventLog, type RunName } from '../../domain/fleet/eventText.js'
import { Latencies } from '../../domain/fleet/latencies.js'
import type { Disk } from '../../ports/files.js'

export class EventTally {
  readonly received = new ReceivedEvents()
  /** From the sending of an event to the time that its node gave it. */
  readonly latencies = new Latencies()
  readonly #run: RunName
  readonly #mark: Buffer
  readonly #followers: readonly EventFollower[]

  constructor(run: RunName, disk: Disk, homes: readonly string[]) {
    this.#run = run
    this.#mark = Buffer.from(` ${run} `)
    this.#followers = homes.map((home) => new EventFollower(disk, join(home, eventsPath)))
  }

  /** Segments that went before they were read: their events are missing in the account. */
  get segmentsMissed(): number {
    return this.#followers.reduce((sum, { counts }) => sum + counts.segmentsMissed, 0)
  }

  /** Reads some of what is there; false when that was all. */
  read(): boolean {
    let isMore = false
    for (const follower of this.#followers) isMore = follower.read((line) => this.#take(line)) || isMore
    return isMore
  }

  close(): void {
    for (const follower of this.#followers) follower.close()
  }

  #take(line: Uint8Array): void {
    const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength)
    if (!bytes.includes(this.#mark)) return
    const value = jsonOf(bytes.toString())
    if (typeof value !== 'object' || value === null || !('full_log' in value) || typeof value.full_log !== 'string') return
    const event = parseEventLog(this.#run, value.full_log)
    if (!event) return
    this.received.add(event.agent, event.sequence)
    const takenMs = 'timestamp' in value && typeof value.timestamp === 'string' ? Date.parse(value.timestamp) : Number.NaN
    if (takenMs >= event.sentMs) this.latencies.add(takenMs - event.sentMs)
  }
}

const jsonOf = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
