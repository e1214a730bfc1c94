/** The connection of an agent that is used, and those that it left and whose end has not come yet. */
import type { Deadline } from '../../base/deadlines.js'
import { limits } from '../../base/limits.js'
import type { AgentServer } from '../../domain/fleet/agentServer.js'
import type { FleetContext } from './fleetContext.js'
import type { FleetEventSource } from './fleetEventSource.js'
import { type FleetSocket, openFleetSocket } from './fleetSocket.js'

export interface FleetConnectionEvents {
  /** Of the connection that is used; valid during the call. */
  onMessage(message: Buffer): void
  /** More can be sent. */
  onDrain(): void
  /** The connection that was used is gone. */
  onLost(): void
}

export class FleetConnection {
  readonly #fleet: FleetContext
  readonly #source: FleetEventSource
  readonly #events: FleetConnectionEvents
  readonly #leaving = new Map<FleetSocket, Deadline>()
  #socket: FleetSocket | undefined
  #dialling: AbortController | undefined
  #onNothingLeft: (() => void) | undefined

  constructor(fleet: FleetContext, source: FleetEventSource, events: FleetConnectionEvents) {
    this.#fleet = fleet
    this.#source = source
    this.#events = events
  }

  get isFramed(): boolean {
    return this.#socket?.isFramed ?? true
  }

  get isOpen(): boolean {
    return this.#socket !== undefined
  }

  /** False: not any more, another dial or the end came before. Fails as `dial` of the network does. */
  async dial(server: AgentServer): Promise<boolean> {
    this.leave('giveUp')
    this.#dialling?.abort()
    const dialling = new AbortController()
    this.#dialling = dialling
    const range = this.#source.begin()
    let socket: FleetSocket | undefined
    const isUsed = (): boolean => socket !== undefined && socket === this.#socket
    try {
      socket = await openFleetSocket(
        this.#fleet.ports.network,
        server,
        {
          onMessage: (message) => isUsed() && this.#events.onMessage(message),
          onDrain: () => isUsed() && this.#events.onDrain(),
          onClosed: (end) => {
            this.#source.ended(range, end)
            if (socket) this.#closed(socket)
          },
        },
        dialling.signal,
      )
    } catch (thrown) {
      if (dialling.signal.aborted) return false
      throw thrown
    }
    if (dialling.signal.aborted) socket.destroy()
    else this.#socket = socket
    return isUsed()
  }

  /** False: the network takes no more at the moment. */
  send(messages: readonly Buffer[]): boolean {
    return this.#socket?.send(messages) ?? true
  }

  /** `leave`: what was sent is to arrive; `giveUp`: nobody answers there; `destroy`: at once. */
  leave(how: 'leave' | 'giveUp' | 'destroy'): void {
    const socket = this.#socket
    this.#socket = undefined
    if (!socket) return
    this.#leaving.set(socket, this.#fleet.deadlines.add(limits.fleetLingerMsMax, { due: () => socket.destroy() }))
    socket[how]()
  }

  /** No more dials. Resolves when everything that was left is closed. */
  async end(): Promise<void> {
    this.#dialling?.abort()
    this.leave('leave')
    if (this.#leaving.size === 0) return
    await new Promise<void>((resolve) => {
      this.#onNothingLeft = resolve
    })
  }

  destroy(): void {
    this.#dialling?.abort()
    this.leave('destroy')
    for (const socket of [...this.#leaving.keys()]) socket.destroy()
  }

  #closed(socket: FleetSocket): void {
    const deadline = this.#leaving.get(socket)
    if (deadline) this.#fleet.deadlines.remove(deadline)
    this.#leaving.delete(socket)
    if (this.#leaving.size === 0) this.#onNothingLeft?.()
    if (socket !== this.#socket) return
    this.#socket = undefined
    this.#events.onLost()
  }
}
