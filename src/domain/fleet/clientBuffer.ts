/**
 * The buffer of an agent: events that wait for a connection, sent no faster than the limit; what finds it full is dropped. It counts
 * events and keeps none of them: an event gets its number, and its text, when it is sent.
 */

export interface BufferRules {
  /** Events that wait; more are dropped. */
  readonly eventsMax: number
  /** Sent in a second, at most. */
  readonly perSecondMax: number
}

/** Of `<client_buffer>`. */
export const defaultBufferRules: BufferRules = { eventsMax: 5_000, perSecondMax: 500 }

/** After a reconnect the sender may sleep this long before it notices. */
export const senderSleepMsMax = 5_000

export class ClientBuffer {
  readonly #rules: BufferRules
  readonly #perMs: number
  #waiting = 0
  /** Parts of an event that are due. */
  #due: number
  #allowance = 0
  #dropped = 0

  /** `perSecond`: events that come to be. `phase`: from 0 to 1, how far the first one is: so that those of many agents do not come together. */
  constructor(rules: BufferRules, perSecond: number, phase: number) {
    this.#rules = rules
    this.#perMs = perSecond / 1_000
    this.#due = phase
  }

  get waiting(): number {
    return this.#waiting
  }

  /** Events that came to be and found no room. */
  get dropped(): number {
    return this.#dropped
  }

  /** Time passed: events came to be, and more may be sent. */
  pass(ms: number): void {
    this.#due += ms * this.#perMs
    const made = Math.floor(this.#due)
    this.#due -= made
    this.add(made)
    this.#allowance = Math.min(this.#rules.perSecondMax, this.#allowance + (ms * this.#rules.perSecondMax) / 1_000)
  }

  add(events: number): void {
    const taken = Math.min(events, this.#rules.eventsMax - this.#waiting)
    this.#waiting += taken
    this.#dropped += events - taken
  }

  /** What is to be sent now; the caller sends it. */
  take(eventsMax = Number.POSITIVE_INFINITY): number {
    const taken = Math.min(this.#waiting, Math.floor(this.#allowance), eventsMax)
    this.#waiting -= taken
    this.#allowance -= taken
    return taken
  }
}
