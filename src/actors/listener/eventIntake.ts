/**
 * Events on their way to the outlet: written in the turn in which they were read. When the outlet has no room, connections are not
 * read until it has; datagrams cannot wait, so their events are dropped and counted.
 */
import { counted } from '../../base/counted.js'
import type { EventOutlet, EventSource } from '../../ports/listener.js'
import type { Clock } from '../../ports/machine.js'
import type { ListenerLog } from './listenerLog.js'

export interface EventIntakeOptions {
  readonly outlet: EventOutlet
  readonly clock: Clock
  readonly log: ListenerLog
  /** Read no more, or read again. */
  onRoom(hasRoom: boolean): void
}

export class EventIntake {
  readonly #options: EventIntakeOptions
  #hasRoom = true
  #isUnflushed = false
  #dropped = 0

  constructor(options: EventIntakeOptions) {
    this.#options = options
    options.outlet.onReady = () => this.#ready()
  }

  get hasRoom(): boolean {
    return this.#hasRoom
  }

  get dropped(): number {
    return this.#dropped
  }

  /** To be followed by `flush` before the turn ends. */
  take(source: EventSource, message: Uint8Array): void {
    this.#options.outlet.take(source, message, this.#options.clock.now())
    this.#isUnflushed = true
  }

  takeDatagram(source: EventSource, message: Uint8Array): void {
    if (this.#hasRoom) {
      this.take(source, message)
      return
    }
    this.#dropped += 1
    this.#options.log.onceAMinute(
      'dropped',
      () => `Events cannot be written fast enough: ${counted(this.#dropped, 'event')} that came over UDP were dropped so far.`,
    )
  }

  flush(): void {
    if (!this.#isUnflushed) return
    this.#isUnflushed = false
    if (this.#options.outlet.flush() || !this.#hasRoom) return
    this.#hasRoom = false
    this.#options.onRoom(false)
  }

  #ready(): void {
    if (this.#hasRoom) return
    this.#hasRoom = true
    this.#options.onRoom(true)
  }
}
