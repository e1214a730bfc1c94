/** The events of one agent: they come to be at a rate, wait in its buffer, and get their number when they are sent over a connection. */
import { ClientBuffer, defaultBufferRules, senderSleepMsMax } from '../../domain/fleet/clientBuffer.js'
import type { ConnectionEnd } from '../../domain/fleet/eventAccount.js'
import { eventMessage } from '../../domain/fleet/eventText.js'
import type { FleetContext } from './fleetContext.js'

/** What goes out together: the rest has its turn when the network has taken it. */
const eventsPerSendMax = 250

/** The events that went over one connection. */
export interface OpenRange {
  from: number
  to: number
}

export class FleetEventSource {
  /** The network takes no more at the moment. */
  isBlocked = false
  readonly #number: number
  readonly #fleet: FleetContext
  readonly #buffer: ClientBuffer
  #next = 1
  #range: OpenRange | undefined
  #awakeAtMs = 0

  constructor(number: number, fleet: FleetContext) {
    const { agents, eventsPerSecond } = fleet.options
    this.#number = number
    this.#fleet = fleet
    // An agent that is to send more than a real one does so.
    const rules = { ...defaultBufferRules, perSecondMax: Math.max(defaultBufferRules.perSecondMax, 2 * eventsPerSecond) }
    this.#buffer = new ClientBuffer(rules, eventsPerSecond, (number % agents) / agents)
  }

  get dropped(): number {
    return this.#buffer.dropped
  }

  /** A connection begins: what is sent from now on is sent over it. */
  begin(): OpenRange {
    const range = { from: this.#next, to: this.#next }
    this.#range = range
    return range
  }

  ended({ from, to }: OpenRange, end: ConnectionEnd): void {
    if (to > from) this.#fleet.ranges.push({ agent: this.#number, from, to, end })
  }

  /** After a reconnect. @param share of the longest sleep */
  sleep(share: number): void {
    this.#awakeAtMs = this.#fleet.ports.clock.monotonicMs() + share * senderSleepMsMax
  }

  pass(ms: number): void {
    this.#buffer.pass(ms)
  }

  /** What is to be sent now, sealed. */
  take(seal: (text: Uint8Array) => Buffer | undefined): Buffer[] {
    const { options, ports, totals } = this.#fleet
    const range = this.#range
    if (this.isBlocked || !range || this.#buffer.waiting === 0 || ports.clock.monotonicMs() < this.#awakeAtMs) return []
    const messages: Buffer[] = []
    const sentMs = ports.clock.now()
    for (let left = this.#buffer.take(eventsPerSendMax); left > 0; left--) {
      const text = eventMessage(options.run, { agent: this.#number, sequence: this.#next, sentMs }, options.eventBytes)
      const message = seal(Buffer.from(text, 'latin1'))
      if (!message) continue
      messages.push(message)
      this.#next += 1
    }
    range.to = this.#next
    totals.sent += messages.length
    return messages
  }
}
