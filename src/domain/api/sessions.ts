/** Sessions of browsers: known by the hash of what the cookie holds, ended by rest, by age, and by their users. */
import { limits } from '../../base/limits.js'

export interface Session {
  readonly user: string
  /** Of the user's password when it began: a new password ends it. */
  readonly fingerprint: string
}

interface Known extends Session {
  readonly beganMs: number
  usedMs: number
  readonly ended: Set<() => void>
}

/** Times are a clock's that never goes back. */
export class Sessions {
  /** In the order of their use, the longest unused first. */
  readonly #sessions = new Map<string, Known>()

  get size(): number {
    return this.#sessions.size
  }

  begin(id: string, session: Session, nowMs: number): void {
    this.endOld(nowMs)
    const [oldest] = this.#sessions.keys()
    if (oldest !== undefined && this.#sessions.size >= limits.apiSessionsMax) this.end(oldest)
    this.#sessions.set(id, { ...session, beganMs: nowMs, usedMs: nowMs, ended: new Set() })
  }

  /** The session, used now. */
  use(id: string, nowMs: number): Session | undefined {
    this.endOld(nowMs)
    const session = this.#sessions.get(id)
    if (!session) return undefined
    session.usedMs = nowMs
    this.#sessions.delete(id)
    this.#sessions.set(id, session)
    return session
  }

  end(id: string): void {
    const session = this.#sessions.get(id)
    this.#sessions.delete(id)
    for (const ended of session?.ended ?? []) ended()
  }

  /** All that a user has. */
  endOf(user: string): void {
    for (const [id, session] of this.#sessions) if (session.user === user) this.end(id)
  }

  /** Calls back when the session ends; the returned function takes that back. */
  onEnd(id: string, ended: () => void): () => void {
    const session = this.#sessions.get(id)
    if (!session) ended()
    session?.ended.add(ended)
    return () => void session?.ended.delete(ended)
  }

  /** Those that rested too long, or are too old. */
  endOld(nowMs: number): void {
    for (const [id, { beganMs, usedMs }] of this.#sessions)
      if (usedMs + limits.apiSessionIdleMs <= nowMs || beganMs + limits.apiSessionMs <= nowMs) this.end(id)
  }
}
