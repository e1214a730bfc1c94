/** The counters of agents' messages: kept in `queue/rids/ID`, and refused when they come again where that is wanted. */

import { limits } from '../../base/limits.js'
import type { ListenerFiles } from '../../ports/listener.js'
import { isLater, type MessageCounter } from '../../wire/agents/counters.js'
import type { AgentSession } from './sessions/agentSession.js'

export class AgentCounters {
  readonly #files: Pick<ListenerFiles, 'readCounter' | 'writeCounter'>
  readonly #verifies: boolean
  readonly #onFailure: (thrown: unknown) => void

  constructor(files: Pick<ListenerFiles, 'readCounter' | 'writeCounter'>, verifies: boolean, onFailure: (thrown: unknown) => void) {
    this.#files = files
    this.#verifies = verifies
    this.#onFailure = onFailure
  }

  /** A new session goes on where the last one was. */
  restore(session: AgentSession): void {
    if (!this.#verifies) return
    try {
      const counter = this.#files.readCounter(session.id)
      if (!counter) return
      session.global = counter.global
      session.local = counter.local
    } catch (thrown) {
      this.#onFailure(thrown)
    }
  }

  /** False: a message with this counter, or a later one, was there before. */
  take(session: AgentSession, counter: MessageCounter): boolean {
    if (this.#verifies && !isLater(counter, session)) return false
    session.global = counter.global
    session.local = counter.local
    session.uncounted += 1
    if (session.uncounted >= limits.agentCounterMessages) this.#write(session)
    return true
  }

  forget(session: AgentSession): void {
    if (this.#verifies && session.uncounted > 0) this.#write(session)
  }

  #write(session: AgentSession): void {
    session.uncounted = 0
    try {
      this.#files.writeCounter(session.id, { global: session.global, local: session.local })
    } catch (thrown) {
      this.#onFailure(thrown)
    }
  }
}
