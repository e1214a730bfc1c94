/** One attempt to connect in the simulated network: it travels there and back, hangs while the way is blocked, and gives up. */
import { ClusterError } from '../../base/errors.js'
import type { ByteStream, Endpoint } from '../../ports/network.js'
import type { VirtualClock } from '../world/virtualClock.js'
import type { SimulatedHost } from './simulatedHost.js'
import type { SimulatedConnection } from './simulatedStream.js'

export interface SimulatedDialOptions {
  readonly clock: VirtualClock
  readonly connectMsMax: number
  isReachable(): boolean
  latencyMs(): number
  /** The connection that the target accepts, or undefined when nobody listens. */
  accept(): SimulatedConnection | undefined
  /** The dial is over, one way or another; called once. */
  over(): void
}

interface Settle {
  resolve(stream: ByteStream): void
  reject(error: ClusterError): void
}

const dialFailed = (endpoint: Endpoint, errno: string): ClusterError =>
  new ClusterError('dialFailed', {
    message: `The connection to ${endpoint.host}:${endpoint.port} could not be made: ${errno}`,
    context: { errno },
  })

export class SimulatedDial {
  readonly #world: SimulatedDialOptions
  readonly #host: SimulatedHost
  readonly #endpoint: Endpoint
  readonly #signal: AbortSignal
  readonly #promise: Promise<ByteStream>
  #settle: Settle | undefined
  #connection: SimulatedConnection | undefined
  #stepTimer: unknown
  #giveUpTimer: unknown
  /** What comes next, once the way is free. */
  #step: (() => void) | undefined

  constructor(world: SimulatedDialOptions, host: SimulatedHost, endpoint: Endpoint, signal: AbortSignal) {
    this.#world = world
    this.#host = host
    this.#endpoint = endpoint
    this.#signal = signal
    this.#promise = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject }
    })
  }

  get pendingEvents(): number {
    return (this.#stepTimer === undefined ? 0 : 1) + (this.#giveUpTimer === undefined ? 0 : 1)
  }

  start(): Promise<ByteStream> {
    this.#signal.addEventListener('abort', this.#abort, { once: true })
    this.#host.dials.add(this.#takeBack)
    this.#giveUpTimer = this.#world.clock.setTimeout(() => this.#fail(dialFailed(this.#endpoint, 'ETIMEDOUT')), this.#world.connectMsMax)
    this.#travel(() => this.#arrive())
    return this.#promise
  }

  /** The way may be blocked or free now: what did not get through is sent again. */
  passageChanged(): void {
    const step = this.#step
    if (step) this.#travel(step)
  }

  #travel(step: () => void): void {
    this.#step = step
    this.#world.clock.clearTimeout(this.#stepTimer)
    this.#stepTimer = undefined
    if (!this.#world.isReachable()) return
    this.#stepTimer = this.#world.clock.setTimeout(() => {
      this.#stepTimer = undefined
      this.#step = undefined
      step()
    }, this.#world.latencyMs())
  }

  #arrive(): void {
    this.#connection = this.#world.accept()
    this.#travel(() => this.#return())
  }

  #return(): void {
    const stream = this.#connection?.dialer
    if (!stream) {
      this.#fail(dialFailed(this.#endpoint, 'ECONNREFUSED'))
      return
    }
    this.#world.clock.clearTimeout(this.#giveUpTimer)
    this.#giveUpTimer = undefined
    this.#host.later(() => {
      this.#connection = undefined
      this.#release()?.resolve(stream)
    })
  }

  #fail(error: ClusterError): void {
    this.#clearTimers()
    this.#host.later(() => this.#release()?.reject(error))
  }

  readonly #abort = (): void => {
    const settle = this.#release()
    settle?.reject(
      new ClusterError('aborted', { message: `The connection to ${this.#endpoint.host}:${this.#endpoint.port} is no longer wanted` }),
    )
  }

  readonly #takeBack = (): void => {
    this.#connection = undefined
    this.#release()
  }

  #clearTimers(): void {
    this.#world.clock.clearTimeout(this.#stepTimer)
    this.#world.clock.clearTimeout(this.#giveUpTimer)
    this.#stepTimer = undefined
    this.#giveUpTimer = undefined
    this.#step = undefined
  }

  /** Lets go of all that the dial holds; undefined when it is settled already. */
  #release(): Settle | undefined {
    const settle = this.#settle
    this.#settle = undefined
    this.#clearTimers()
    this.#signal.removeEventListener('abort', this.#abort)
    this.#host.dials.delete(this.#takeBack)
    this.#connection?.dialer.destroy()
    this.#connection = undefined
    if (settle) this.#world.over()
    return settle
  }
}
