/** The two ends of a simulated connection, with what TCP and Node make of `end`, `destroy`, a reset and a peer that is gone. */
import { ClusterError } from '../../base/errors.js'
import { invariant } from '../../base/invariant.js'
import type { ByteStream, ByteStreamEvents } from '../../ports/network.js'
import type { SeededRandom } from '../world/seededRandom.js'
import type { Conditions, Passage } from './networkConditions.js'
import { SimulatedFlow } from './simulatedFlow.js'

/** From here on `write` asks to wait for `onDrain`. */
const highWaterBytes = 64 * 1_024

/** The host that a stream lives on, as far as the stream cares. */
export interface StreamHost {
  readonly name: string
  readonly address: string
  readonly isFrozen: boolean
  /** Runs `callback` soon, once the process runs. */
  later(callback: () => void): void
  readonly streams: Set<SimulatedStream>
}

export const connectionReset = (): ClusterError =>
  new ClusterError('linkLost', { message: 'The connection was lost: ECONNRESET', context: { errno: 'ECONNRESET' } })

export class SimulatedStream implements ByteStream {
  readonly remoteAddress: string
  readonly #host: StreamHost
  readonly #conditions: Conditions
  readonly #closedFor: () => void
  #flows: { readonly outgoing: SimulatedFlow; readonly incoming: SimulatedFlow } | undefined
  #events: ByteStreamEvents | undefined
  #closed = false
  #closeError: Error | undefined
  #crashed = false
  #paused = false
  #ending = false
  #endSent = false
  #endTaken = false
  #needsDrain = false
  #drainTimer: unknown

  /** `closedFor` is called once, when this end is closed. */
  constructor(host: StreamHost, remoteAddress: string, conditions: Conditions, closedFor: () => void) {
    this.#host = host
    this.remoteAddress = remoteAddress
    this.#conditions = conditions
    this.#closedFor = closedFor
    host.streams.add(this)
  }

  connect(outgoing: SimulatedFlow, incoming: SimulatedFlow): void {
    this.#flows = { outgoing, incoming }
  }

  get isClosed(): boolean {
    return this.#closed
  }

  get isTaking(): boolean {
    return this.#events !== undefined && !this.#closed && !this.#paused && !this.#host.isFrozen
  }

  /** Timers of this end that are set. */
  get pendingEvents(): number {
    return this.#drainTimer === undefined ? 0 : 1
  }

  attach(events: ByteStreamEvents): void {
    invariant(this.#events === undefined, 'a stream is attached once')
    if (this.#crashed) return
    this.#events = events
    if (this.#closed) this.#host.later(() => this.#tellClosed())
    else this.#host.later(() => this.#deliver())
  }

  write(parts: readonly Uint8Array[]): boolean {
    // Nothing to wait for any more: `onClosed` does the rest.
    if (this.#closed || this.#ending) return true
    const { outgoing } = this.#both()
    for (const part of parts) if (part.length > 0) outgoing.write(part)
    outgoing.pump()
    this.#needsDrain ||= outgoing.waitingBytes >= highWaterBytes
    return !this.#needsDrain
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    this.#host.later(() => this.#deliver())
  }

  end(): void {
    if (this.#closed || this.#ending) return
    this.#ending = true
    const { outgoing } = this.#both()
    outgoing.end()
    outgoing.pump()
  }

  destroy(): void {
    if (this.#closed) return
    const { outgoing, incoming } = this.#both()
    outgoing.drop()
    // As the kernel does: closing with unread bytes is a reset, without them it is a clean end.
    if (incoming.arrivedBytes > 0) outgoing.reset()
    else if (!this.#endSent) {
      outgoing.end()
      outgoing.pump()
    }
    this.#close(undefined)
  }

  /** The connection is cut with an error. */
  fail(error: Error): void {
    if (this.#closed) return
    this.#both().outgoing.stop()
    this.#close(error)
  }

  /** The process is gone, and nothing is left to be called; the peer gets a reset or, after a power loss, nothing. */
  crash(tellPeer: boolean): void {
    this.#crashed = true
    this.#events = undefined
    if (this.#closed) return
    const { outgoing } = this.#both()
    if (tellPeer) outgoing.reset()
    else outgoing.stop()
    this.#close(undefined)
  }

  /** All that was written is on its way. */
  emptied(): void {
    if (!this.#needsDrain || this.#closed || this.#drainTimer !== undefined) return
    this.#drainTimer = this.#conditions.clock.setTimeout(() => {
      this.#drainTimer = undefined
      this.#needsDrain = false
      this.#host.later(() => {
        if (!this.#closed) this.#events?.onDrain()
      })
    }, 0)
  }

  endSent(): void {
    this.#endSent = true
    this.#closeWhenBothEnded()
  }

  takeBytes(bytes: Uint8Array): void {
    this.#events?.onBytes(bytes)
  }

  takeEnd(): void {
    this.#endTaken = true
    this.#events?.onEnd?.()
    this.end()
    this.#closeWhenBothEnded()
  }

  /** Bytes came for this end, which is gone: the peer learns it. */
  refuse(): void {
    this.#both().outgoing.reset()
  }

  #deliver(): void {
    if (!this.#closed) this.#both().incoming.deliver()
  }

  #closeWhenBothEnded(): void {
    if (this.#endSent && this.#endTaken) this.#close(undefined)
  }

  #close(error: Error | undefined): void {
    if (this.#closed) return
    this.#closed = true
    this.#closeError = error
    this.#conditions.clock.clearTimeout(this.#drainTimer)
    this.#drainTimer = undefined
    this.#both().incoming.discardArrived()
    this.#host.streams.delete(this)
    this.#closedFor()
    if (this.#events) this.#host.later(() => this.#tellClosed())
  }

  #tellClosed(): void {
    const events = this.#events
    if (events) events.onClosed(this.#closeError)
  }

  #both(): { readonly outgoing: SimulatedFlow; readonly incoming: SimulatedFlow } {
    invariant(this.#flows !== undefined, 'a stream is connected before it is used')
    return this.#flows
  }
}

/** One connection: both ends and both directions, until both ends are closed. */
export class SimulatedConnection {
  readonly dialer: SimulatedStream
  readonly acceptor: SimulatedStream
  readonly hosts: readonly [StreamHost, StreamHost]
  readonly #flows: readonly [SimulatedFlow, SimulatedFlow]
  readonly #passage: () => Passage
  #lastPassage: Passage

  constructor(options: {
    readonly hosts: readonly [dialer: StreamHost, acceptor: StreamHost]
    readonly conditions: Conditions
    readonly random: SeededRandom
    readonly passage: () => Passage
    readonly onGone: (connection: SimulatedConnection) => void
    readonly onTaken: (from: StreamHost, to: StreamHost, byteCount: number) => void
  }) {
    const [dialing, accepting] = options.hosts
    this.hosts = options.hosts
    this.#passage = options.passage
    this.#lastPassage = options.passage()
    const closed = (): void => {
      if (!this.dialer.isClosed || !this.acceptor.isClosed) return
      for (const flow of this.#flows) flow.stop()
      options.onGone(this)
    }
    this.dialer = new SimulatedStream(dialing, accepting.address, options.conditions, closed)
    this.acceptor = new SimulatedStream(accepting, dialing.address, options.conditions, closed)
    const flow = (from: SimulatedStream, to: SimulatedStream, fromHost: StreamHost, toHost: StreamHost, label: string): SimulatedFlow =>
      new SimulatedFlow(options.conditions, options.random.fork(label), {
        passage: options.passage,
        canTake: () => to.isTaking,
        take: (bytes) => {
          options.onTaken(fromHost, toHost, bytes.length)
          to.takeBytes(bytes)
        },
        takeEnd: () => to.takeEnd(),
        takeReset: () => to.fail(connectionReset()),
        refuse: () => {
          if (!from.isClosed) to.refuse()
        },
        isReceiverGone: () => to.isClosed,
        emptied: () => from.emptied(),
        endSent: () => from.endSent(),
      })
    const there = flow(this.dialer, this.acceptor, dialing, accepting, 'there')
    const back = flow(this.acceptor, this.dialer, accepting, dialing, 'back')
    this.#flows = [there, back]
    this.dialer.connect(there, back)
    this.acceptor.connect(back, there)
  }

  /** Timers that are set for this connection. */
  get pendingEvents(): number {
    return this.#flows[0].events + this.#flows[1].events + this.dialer.pendingEvents + this.acceptor.pendingEvents
  }

  passageChanged(): void {
    const passage = this.#passage()
    if (passage === this.#lastPassage) return
    this.#lastPassage = passage
    for (const flow of this.#flows) flow.passageChanged()
  }

  /** A reset from the middle: both ends learn it at once. */
  cut(): void {
    this.dialer.fail(connectionReset())
    this.acceptor.fail(connectionReset())
  }

  /** A thawed or newly attached end takes what has arrived meanwhile. */
  deliver(): void {
    for (const flow of this.#flows) flow.deliver()
  }
}
