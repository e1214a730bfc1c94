/** Agents that are asked to reconnect, in chunks, and connections that are let go: a reconnect that an operator wants, and a node that stops. */
import { limits } from '../../base/limits.js'
import type { Clock } from '../../ports/machine.js'
import { managerControl } from '../../wire/agents/controlMessage.js'
import type { AgentConnection } from './sessions/agentConnection.js'
import type { AgentSession } from './sessions/agentSession.js'
import type { AgentSessions } from './sessions/agentSessions.js'

const reconnect = managerControl.reconnect()

export interface DeparturesOptions {
  readonly clock: Clock
  readonly sessions: AgentSessions
  readonly connections: ReadonlySet<AgentConnection>
  ask(session: AgentSession, text: Uint8Array): void
}

export class Departures {
  readonly #options: DeparturesOptions
  /** Those that wait: for time, or for the last connection. */
  readonly #waiting = new Set<() => void>()
  #isClosed = false

  constructor(options: DeparturesOptions) {
    this.#options = options
  }

  /** Returns how many were asked. */
  async reconnect(ids: readonly number[] | undefined): Promise<number> {
    const { ask, sessions } = this.#options
    const wanted = ids ?? [...sessions.all()].map(({ id }) => id)
    let asked = 0
    for (const id of wanted) {
      const session = sessions.get(id)
      if (!session?.endpoint || session.isShutDown) continue
      if (asked > 0 && asked % limits.agentReconnectsMax === 0) await this.#pause(limits.agentReconnectPauseMs)
      if (this.#isClosed) break
      ask(session, reconnect)
      asked += 1
    }
    return asked
  }

  /** They are asked to go, and have this long to go; then our side is closed, and what is under way is read. Returns how many were left. */
  async drain(msMax: number): Promise<number> {
    const { clock, connections, sessions } = this.#options
    const endMs = clock.monotonicMs() + msMax
    await this.reconnect(undefined)
    // Nobody says that agents over UDP are gone: they try another node, because they get no answers here.
    for (const session of sessions.all()) if (session.endpoint?.transport === 'udp') sessions.remove(session)
    await this.empty(Math.max(0, endMs - clock.monotonicMs() - limits.agentLingerMsMax))
    const left = sessions.connected
    for (const connection of connections) connection.close()
    await this.empty(Math.max(0, endMs - clock.monotonicMs()))
    return left
  }

  /** Resolves when no connection is left, or after this long. */
  async empty(msMax: number): Promise<void> {
    const { clock, connections } = this.#options
    const endMs = clock.monotonicMs() + msMax
    while (connections.size > 0 && !this.#isClosed && clock.monotonicMs() < endMs) await this.#pause(endMs - clock.monotonicMs())
  }

  /** A connection has gone. */
  gone(): void {
    if (this.#options.connections.size === 0) this.#wake()
  }

  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#options
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake)
        clock.clearTimeout(timer)
        resolve()
      }
      const timer = clock.setTimeout(wake, ms)
      this.#waiting.add(wake)
    })
  }

  #wake(): void {
    for (const wake of [...this.#waiting]) wake()
  }
}
