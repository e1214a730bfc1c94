/**
 * What became of the events of a fleet. Agents are acknowledged nothing, so from outside only the connections say what a node took:
 * of one that ended in agreement everything, of one that broke everything up to the last event that was received. What is missing
 * there is lost; what is missing behind it was in flight.
 */

/**
 * `agreed`: the agent closed it, after a request to reconnect or at its own end, and the node closed its side after that without an
 * error. `broken`: any other end. `datagrams`: it is unknown what arrives.
 */
export type ConnectionEnd = 'agreed' | 'broken' | 'datagrams'

/** What an agent sent over one connection: it numbers its events in the order in which it sends them. */
export interface SentRange {
  readonly agent: number
  readonly from: number
  /** Excluded. */
  readonly to: number
  readonly end: ConnectionEnd
}

export interface LostRange {
  readonly agent: number
  readonly from: number
  /** Excluded. */
  readonly to: number
  readonly end: ConnectionEnd
}

export interface EventAccount {
  readonly sent: number
  /** Different events, each once. */
  readonly received: number
  /** Copies beyond the first. */
  readonly duplicated: number
  /** Taken, and in no segment. */
  readonly lost: number
  /** Behind the last event that was received of a connection that broke. */
  readonly inFlight: number
  /** Sent as datagrams and not received. */
  readonly datagramsMissing: number
  /** In a segment, though nobody sent it. */
  readonly strange: number
  /** The first of what is lost. */
  readonly lostRanges: readonly LostRange[]
}

const lostRangesMax = 20
/** Of a sequence; more is nobody's event. */
const sequencesMax = 2 ** 31

/** Which events were received, a bit for each. */
export class ReceivedEvents {
  readonly #agents = new Map<number, Uint8Array>()
  #received = 0
  #duplicated = 0

  get received(): number {
    return this.#received
  }

  get duplicated(): number {
    return this.#duplicated
  }

  /** False: it is there already, or nobody's. */
  add(agent: number, sequence: number): boolean {
    if (sequence >= sequencesMax) return false
    const at = sequence >>> 3
    let bits = this.#agents.get(agent)
    if (!bits || bits.length <= at) {
      const grown = new Uint8Array(Math.max(64, 2 * at))
      if (bits) grown.set(bits)
      this.#agents.set(agent, grown)
      bits = grown
    }
    const bit = 1 << (sequence & 7)
    const byte = bits[at] ?? 0
    if ((byte & bit) !== 0) {
      this.#duplicated += 1
      return false
    }
    bits[at] = byte | bit
    this.#received += 1
    return true
  }

  has(agent: number, sequence: number): boolean {
    return (((this.#agents.get(agent)?.[sequence >>> 3] ?? 0) >>> (sequence & 7)) & 1) === 1
  }
}

class Accounting {
  readonly #received: ReceivedEvents
  readonly lostRanges: LostRange[] = []
  sent = 0
  found = 0
  lost = 0
  inFlight = 0
  datagramsMissing = 0

  constructor(received: ReceivedEvents) {
    this.#received = received
  }

  add(range: SentRange): void {
    const { agent, end, from, to } = range
    this.sent += to - from
    let missingFrom = from
    for (let sequence = from; sequence < to; sequence++) {
      if (!this.#received.has(agent, sequence)) continue
      this.found += 1
      if (sequence > missingFrom) this.#missing(range, missingFrom, sequence, false)
      missingFrom = sequence + 1
    }
    if (to > missingFrom) this.#missing(range, missingFrom, to, end !== 'agreed')
  }

  #missing({ agent, end }: SentRange, from: number, to: number, isTail: boolean): void {
    if (end === 'datagrams') this.datagramsMissing += to - from
    else if (isTail) this.inFlight += to - from
    else {
      this.lost += to - from
      if (this.lostRanges.length < lostRangesMax) this.lostRanges.push({ agent, from, to, end })
    }
  }
}

/** `ranges`: of all connections of all agents, none of them open any more. */
export const accountOf = (ranges: Iterable<SentRange>, received: ReceivedEvents): EventAccount => {
  const accounting = new Accounting(received)
  for (const range of ranges) accounting.add(range)
  const { datagramsMissing, found, inFlight, lost, lostRanges, sent } = accounting
  return {
    sent,
    received: received.received,
    duplicated: received.duplicated,
    lost,
    inFlight,
    datagramsMissing,
    strange: received.received - found,
    lostRanges,
  }
}
