/** The agents that are here: who they are, over which connections, and when they are gone. */
import type { Deadlines } from '../../../base/deadlines.js'
import { limits } from '../../../base/limits.js'
import type { KeyEntry } from '../../../domain/agents/keyEntry.js'
import type { AgentConnection } from './agentConnection.js'
import { type AgentEndpoint, DatagramEndpoint } from './agentEndpoint.js'
import { AgentSession } from './agentSession.js'

export interface AgentSessionsOptions {
  readonly clock: { monotonicMs(): number }
  readonly deadlines: Deadlines
  /** It is no longer known where the agent is, though it did not say that it stops. */
  onLost(session: AgentSession): void
  /** Nothing is kept of it any more. */
  onForgotten(session: AgentSession): void
}

export class AgentSessions {
  readonly #options: AgentSessionsOptions
  readonly #byId = new Map<number, AgentSession>()
  #connected = 0

  constructor(options: AgentSessionsOptions) {
    this.#options = options
  }

  /** Agents of which it is known where they are. */
  get connected(): number {
    return this.#connected
  }

  get size(): number {
    return this.#byId.size
  }

  get(id: number): AgentSession | undefined {
    return this.#byId.get(id)
  }

  all(): IterableIterator<AgentSession> {
    return this.#byId.values()
  }

  create(entry: KeyEntry): AgentSession {
    return new AgentSession(entry, (session) => this.#due(session))
  }

  /** It proved its key. */
  add(session: AgentSession): void {
    this.#byId.set(session.id, session)
    session.deadline = this.#options.deadlines.add(limits.agentIdleMsMax, session)
  }

  join(session: AgentSession, connection: AgentConnection): void {
    if (connection.sessions.includes(session)) return
    connection.sessions.push(session)
    session.connections.add(connection)
  }

  /** From now on it is there. Returns where it was before, when that was somewhere else. */
  bind(session: AgentSession, endpoint: AgentEndpoint): AgentEndpoint | undefined {
    session.seenMs = this.#options.clock.monotonicMs()
    session.isShutDown = false
    const before = session.endpoint
    if (before === endpoint || (before && isSameSource(before, endpoint))) return undefined
    if (!before) this.#connected += 1
    session.endpoint = endpoint
    return before
  }

  left(connection: AgentConnection): void {
    for (const session of connection.sessions) {
      session.connections.delete(connection)
      if (session.endpoint === connection) this.#lose(session)
      if (session.connections.size === 0 && !session.endpoint) this.remove(session)
    }
    connection.sessions.length = 0
  }

  /** Its key is gone, or all of it. */
  remove(session: AgentSession): void {
    if (this.#byId.get(session.id) !== session) return
    this.#byId.delete(session.id)
    if (session.endpoint) this.#connected -= 1
    session.endpoint = undefined
    if (session.deadline) this.#options.deadlines.remove(session.deadline)
    session.deadline = undefined
    this.#options.onForgotten(session)
  }

  #lose(session: AgentSession): void {
    session.endpoint = undefined
    session.saidDigest = ''
    this.#connected -= 1
    if (!session.isShutDown) this.#options.onLost(session)
  }

  /** Nothing says that an agent over UDP is gone. */
  #due(session: AgentSession): void {
    const silentMs = this.#options.clock.monotonicMs() - session.readMs
    const isIdle = session.connections.size === 0 && silentMs >= limits.agentIdleMsMax
    if (!isIdle) {
      session.deadline = this.#options.deadlines.add(limits.agentIdleMsMax, session)
      return
    }
    // Whether it is gone is for the master to say.
    session.isShutDown = true
    this.remove(session)
  }
}

const isSameSource = (a: AgentEndpoint, b: AgentEndpoint): boolean =>
  a instanceof DatagramEndpoint && b instanceof DatagramEndpoint && a.isAt(b.source)
